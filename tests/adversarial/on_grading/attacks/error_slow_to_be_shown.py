# tries: raises an error whose text takes for ever
# kind: costs
# item: size
class Slow(ValueError):
    def __str__(self):
        while True:
            pass

    __repr__ = __str__


def size(number):
    raise Slow
