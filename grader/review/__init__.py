"""The marking page: the written answers of a class, item by item. Needs the extra ``review``."""
