"""Harmless habits: Colab, progress bars, chatter, missing packages, runs that take too long."""

from __future__ import annotations

from .text import COLAB, TextNotebook, as_json
from .official import official


def colab_habits() -> TextNotebook:
    work = official().insert(
        1,
        "!pip install -q torch numpy matplotlib\n%pip install --upgrade tqdm",
        "from google.colab import drive, files\ndrive.mount('/content/drive', force_remount=True)\n%cd /content/drive/MyDrive/csci567/hw3\n!ls -la",
        "!wget -q https://example.com/fashion-mnist.zip && unzip -o fashion-mnist.zip\nlisting = !ls\nprint(len(listing))",
        "uploaded = files.upload()\nname = input('Your name: ')\nage = input()\nprint('Hello', name)",
        "%matplotlib inline\n%load_ext autoreload\n%autoreload 2",
        "%%time\nfrom tqdm.notebook import tqdm\nfrom tqdm import trange\ntotal = 0\nfor i in tqdm(range(100), desc='warm-up'):\n    total += i\nbar = tqdm(total=10)\nbar.update(3)\nbar.set_postfix(loss=1.0)\nbar.close()\nassert total == 4950",
        "%%bash\necho from bash",
        "import ipywidgets as widgets\nfrom ipywidgets import interact\nfrom IPython.display import display, HTML, clear_output\nslider = widgets.IntSlider(value=3, min=0, max=10)\ndisplay(slider)\n@interact(alpha=(0.0, 1.0))\ndef show(alpha=0.5):\n    print(alpha)\nclear_output()\nHTML('<b>bold</b>')",
        "from google.colab import userdata, output\nfrom google.colab.patches import cv2_imshow\nkey = userdata.get('KEY')\n?np.sum\nnp.zeros??",
    )
    work = work.append(
        "import torch\ntorch.save({'W': model['L1'].params['W']}, 'model.pt')\nnp.savez('weights.npz', W=model['L1'].params['W'])\nfiles.download('weights.npz')",
        "!jupyter nbconvert --to html hw3.ipynb",
        "from google.colab import runtime\nruntime.unassign()",
    )
    return TextNotebook(work.cells, COLAB)


def prints_and_warnings_everywhere() -> TextNotebook:
    noise = "print('in {0}', X.shape); warnings.warn('{0} is slow'); sys.stderr.write('{0}\\n'); logging.error('{0}')"
    return (
        official()
        .edit(
            "import numpy as np",
            "import sys, logging, warnings\nimport numpy as np\nwarnings.simplefilter('always')",
        )
        .edit("forward_output = X @", noise.format("forward") + "\n        forward_output = X @")
        .edit("self.gradient['W'] = X.T", noise.format("backward") + "\n        self.gradient['W'] = X.T")
        .edit(
            "forward_output = X * self.mask",
            noise.format("relu") + "\n        np.log(-1.0)\n        forward_output = X * self.mask",
        )
        .edit("    grad_a2 = model", "    print('shapes', x.shape, h1.shape)\n    grad_a2 = model")
        .edit(
            "            epsilon = np.zeros",
            "            print('DEBUG', layer_name, param_name, grad, -1e-3)\n            epsilon = np.zeros",
        )
        .edit(
            "                v = alpha",
            "                print(name, key, 0.5, file=sys.stderr)\n                v = alpha",
        )
    )


def streams_closed_or_replaced() -> TextNotebook:
    return official().before(
        "class relu",
        "import sys, io\nsys.stdout.close()",
        "sys.stderr = None\nsys.stdout = open('log.txt', 'w')\nprint('to a file')\nsys.stdout = sys.__stdout__\nprint('back')",
    )


def missing_package() -> TextNotebook:
    return official().edit(
        "import numpy as np",
        "import seaborn_of_my_laptop as sns\nimport numpy as np\nfrom my_helpers import plot_everything\nimport d2l_not_installed.torch",
    )


def builtins_redefined() -> TextNotebook:
    return (
        official()
        .before(
            "class relu",
            "sum = 0\nlist = [1, 2, 3]\nmax = 10\nlen = 5\ntype = 'train'\nid = 7\ndict = {}\nrange = (0, 1)\nisinstance = hasattr\nstr = 'W'\ninput = np.zeros(3)\ndir = '/content'",
            "from numpy import *\nfrom math import *\ne = 2.7\npi = 3",
            "student = 'me'\ngrader = 'you'\ncheck = 1\nnp.set_printoptions(precision=2, suppress=True)\nnp.seterr(all='raise')",
        )
        .edit(
            "for name, module in model.items():\n        if hasattr",
            "for name, module in model.items():\n        if hasattr",
        )
        .edit("self.params = dict()", "self.params = {}")
        .edit("self.gradient = dict()", "self.gradient = {}")
        .edit(
            "            for key, value in module.params.items()}\nfor epoch in range(5):",
            "            for key, value in module.params.items()}\nfor epoch in [0, 1, 2, 3, 4]:",
        )
    )


def long_training_ignores_the_budget() -> TextNotebook:
    return official().before(
        "def sgd_with_momentum",
        """
import time
history = []
for epoch in range(2000):
    for start in range(0, 60, 5):
        a1, h1, a2, loss = forward_pass(model, toy.X[start:start + 5], toy.Y[start:start + 5])
        backward_pass(model, toy.X[start:start + 5], a1, h1, a2, toy.Y[start:start + 5])
    history.append(loss)
    time.sleep(0.05)
final_history = history
""",
        "import matplotlib.pyplot as plt\nplt.plot(final_history)\nplt.title('final loss %.3f' % final_history[-1])\nplt.show()",
    )


def figures_and_tables() -> TextNotebook:
    return official().append(
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2, 3])\nax.set_title('loss')\nplt.show()",
        "plt.figure(figsize=(3, 3))\nplt.imshow(toy.X)\nplt.savefig('picture.png')\nmodel['L1'].params['W'][:2]",
        "import pandas_not_here as pd\npd.DataFrame({'loss': [1, 2]})",
    )


def question_marks_and_stray_text() -> TextNotebook:
    return official().before(
        "class relu",
        "This cell was meant to be prose: the ReLU sets negative entries to 0.",
        "# TODO ask on Piazza",
        "",
        "   \n\t\n",
        "model?",
        "%%html\n<script>document.title = 'x'</script>",
        "%%javascript\nalert(1)",
        "print 'python 2'",
        "x = 1\n%%capture\nprint('a magic in the wrong place')",
    )


def outputs_of_50_megabytes() -> bytes:
    """The official notebook with fifty million characters below one cell, as a forgotten print leaves them."""
    tree = official().tree()
    line = "epoch 0 batch 0 loss 2.302585092994046 accuracy 0.1 lr 0.01 elapsed 0.00012 s, W 0.0, b 0.0, gW 0.0\n"
    assert len(line) == 100, len(line)
    tree["cells"][1]["outputs"] = [{"name": "stdout", "output_type": "stream", "text": [line] * 500_000}]
    return as_json(tree)
