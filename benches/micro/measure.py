"""Run each small function of a module N and 2N times, for callgrind to count.

Usage: measure.py LIBRARY REPEAT [MODE], two shared libraries; the first is loaded in the mode.
Prints N and the name of each row.
"""

import gc
import operator
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parent.parent))
from loading import load

TIMES = 1000


def calls(module):
    """Give a name, what is called, its arguments, and the names of the last of them."""
    items = [None] * 10
    point = module.Point()
    node = module.Node()
    sum_, double, x = module.Point.sum, module.Point.double, module.Point.x
    return [
        ("no argument", module.no_argument, ()),
        ("one object", module.one_object, (items,)),
        ("two objects", module.two_objects, (items, items)),
        ("two objects to a function with keywords", module.keywords, (items, items)),
        ("one object and one keyword", module.keywords, (items, items), ("a",)),
        ("two parsed longs", module.two_longs, (1000, 2000)),
        ("two parsed longs by keyword", module.parsed_keywords, (1000, 2000), ("a", "b")),
        ("method with no argument", sum_, (point,)),
        ("attribute by getter", double.__get__, (point,)),
        ("attribute by setter", double.__set__, (point, 1)),
        ("attribute of a member", x.__get__, (point,)),
        ("`+`", operator.add, (point, point)),
        ("unary `-`", operator.neg, (point,)),
        ("`==`", operator.eq, (point, point)),
        ("`not`", operator.not_, (point,)),
        ("`hash()`", hash, (point,)),
        ("`len()`", len, (point,)),
        ("`in`", operator.contains, (point, items)),
        ("`x[key]`", operator.getitem, (point, items)),
        ("`x[key] = value`", operator.setitem, (point, items, items)),
        ("call of an instance", node, (items,)),
        ("object creation and release", module.Point, ()),
        ("collected object creation and release", module.Node, ()),
    ]


def loops(module):
    """Give a name, a function that loops over one function of the API, and its two objects."""
    items = [None] * 10
    owner = SimpleNamespace(attribute=1)
    mapping = {"attribute": 1, 3: 4}
    node = module.Node()
    module.field_store(node, items, 1)
    module.global_store(None, items, 1)
    return [
        ("Dup and Close", module.dup_close, items, None),
        ("Is", module.is_, items, None),
        ("Type", module.type_, items, None),
        ("TypeCheck of an exact type", module.type_check, items, list),
        ("TypeCheck of another type", module.type_check, items, dict),
        ("TypeCheck of a subclass", module.type_check, True, int),
        ("TypeCheck of the extension's own type", module.type_check, node, module.Node),
        ("HPyList_Check", module.list_check, items, None),
        ("HPyUnicode_Check", module.unicode_check, "text", None),
        ("check for an int", module.long_check, 1000, None),
        ("HPyCallable_Check", module.callable_check, len, None),
        ("Long_FromLong of a small one", module.long_from_small, None, None),
        ("Long_FromLong", module.long_from, None, None),
        ("Long_AsLong", module.long_as, 1000, None),
        ("Float_FromDouble", module.float_from, None, None),
        ("Float_AsDouble", module.float_as, 1.5, None),
        ("Unicode_FromString", module.unicode_from, None, None),
        ("Unicode_AsUTF8AndSize", module.unicode_as, "text", None),
        ("Bytes_FromStringAndSize", module.bytes_from, None, None),
        ("Bytes_AsString", module.bytes_as, b"text", None),
        ("Bytes_Size", module.bytes_size, b"text", None),
        ("Length of a list", module.length, items, None),
        ("Length of a dict", module.length, mapping, None),
        ("IsTrue of True", module.is_true, True, None),
        ("GetItem_i of a list", module.get_item_i, items, None),
        ("GetItem_i of a tuple", module.get_item_i, tuple(items), None),
        ("GetItem of a dict", module.get_item, mapping, "attribute"),
        ("GetItem_s of a dict", module.get_item_s, mapping, None),
        ("SetItem_i of a list", module.set_item_i, items, None),
        ("SetItem of a dict", module.set_item, mapping, 3),
        ("SetItem_s of a dict", module.set_item_s, mapping, None),
        ("Contains of a dict", module.contains, mapping, 3),
        ("GetAttr", module.get_attr, owner, "attribute"),
        ("GetAttr_s", module.get_attr_s, owner, None),
        ("SetAttr_s", module.set_attr_s, owner, None),
        ("HasAttr_s", module.has_attr_s, owner, None),
        ("Add of ints", module.add, 1000, 2000),
        ("RichCompareBool of ints", module.compare, 1000, 2000),
        ("Hash of a str", module.hash, "text", None),
        ("Tuple_Pack of two", module.tuple_pack, items, items),
        ("TupleBuilder of three", module.tuple_builder, items, None),
        ("ListBuilder of three", module.list_builder, items, None),
        ("List_New and Append", module.list_append, items, None),
        ("Dict_New", module.dict_new, None, None),
        ("Call", module.call, len, items),
        ("CallTupleDict", module.call_tuple, len, (items,)),
        ("CallMethod", module.call_method, "text", "isalpha"),
        ("Err_Occurred", module.err_occurred, None, None),
        ("Err_SetString and Clear", module.err_set, None, None),
        ("Tracker of three handles", module.tracker, items, None),
        ("BuildValue of two ints", module.build_value, None, None),
        ("Field_Store", module.field_store, node, items),
        ("Field_Load", module.field_load, node, None),
        ("Global_Store", module.global_store, None, items),
        ("Global_Load", module.global_load, None, None),
    ]


def main():
    """Make each measurement twice: for N and for 2N."""
    module, repeat = load(sys.argv[1], *sys.argv[3:]), load(sys.argv[2]).repeat
    # In debug mode, the first thousand handles take new memory.
    for _ in range(2000):
        module.no_argument()
    gc.disable()

    def measure(row, times, function, arguments, names=(), after=None, loops=False):
        gc.collect()
        gc.freeze()
        for n in (times, 2 * times):
            if loops:
                repeat(function, (*arguments, n), (), 1, after)
            else:
                repeat(function, arguments, names, n, after)
        print(f"{times}\t{row}")

    for row, function, arguments, *names in calls(module):
        measure(row, TIMES, function, arguments, *names)

    def python_loop(function, argument, times):
        for _ in range(times):
            function(argument)

    row = "one object, by a loop in Python"
    measure(row, TIMES, python_loop, (module.one_object, [None]), loops=True)
    measure("type creation and release", 50, module.new_type, (), after=gc.collect)
    for row, function, *objects in loops(module):
        measure(row, TIMES, function, objects, loops=True)


if __name__ == "__main__":
    main()
