# tries: puts a module in the place of a class
# kind: stand-ins
# item: cube
import types

Cube = types.ModuleType("Cube")
Cube.__call__ = lambda: Cube
Cube.backward = lambda X, G: 3 * X**2 * G
