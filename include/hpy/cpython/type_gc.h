/*
 * The CPython ABI: tp_traverse and tp_clear of HPy types, made from the author's traverse
 * functions.
 */
#ifndef HPY_CPYTHON_TYPE_GC_H
#define HPY_CPYTHON_TYPE_GC_H

/* A visitor of CPython with its argument. */
typedef struct {
    visitproc visit;
    void *arg;
} _HPyType_Visitor;

/* Hands the object in a field to CPython's visitor. */
HPyAPI_INLINE int _HPyType_VisitField(HPyField *field, void *arg)
{
    const _HPyType_Visitor *visitor = (const _HPyType_Visitor *)arg;
    PyObject *object = (PyObject *)field->_i;
    return object == NULL ? 0 : visitor->visit(object, visitor->arg);
}

/* Empties a field, then releases its object. */
HPyAPI_INLINE int _HPyType_ClearField(HPyField *field, void *arg)
{
    (void)arg;
    _HPy_Store(&field->_i, NULL);
    return 0;
}

/* Visits the fields of a struct: as the author does, or else its members. */
HPyAPI_INLINE int _HPyType_VisitStruct(void *data, const _HPyType_Record *record,
                                       HPyFunc_visitproc visit, void *arg)
{
    const HPy_ssize_t *offset;
    if (record->traverse != NULL) {
        return record->traverse(data, visit, arg);
    }
    if (record->flags & _HPY_RECORD_OBJECT_MEMBERS) {
        for (offset = record->object_members; *offset >= 0; offset++) {
            int status = visit((HPyField *)(void *)((char *)data + *offset), arg);
            if (status != 0) {
                return status;
            }
        }
    }
    return 0;
}

/* Visits the fields of the object's struct that belongs to a record. */
HPyAPI_INLINE int _HPyType_VisitFields(PyObject *self, const _HPyType_Record *record,
                                       HPyFunc_visitproc visit, void *arg)
{
    return _HPyType_VisitStruct(_HPyType_Struct(self, record), record, visit, arg);
}

HPyAPI_INLINE int _HPyType_Traverse(PyObject *self, visitproc visit, void *arg);

/* The level of the object's hierarchy that called: the first with this tp_traverse. */
HPyAPI_INLINE PyTypeObject *_HPyType_TraverseLevel(PyObject *self)
{
    PyTypeObject *level = Py_TYPE(self);
    while (level != NULL && _HPY_TP(level, traverseproc, traverse) != _HPyType_Traverse) {
        level = _HPyType_Base(level);
    }
    return level;
}

/*
 * Whether a level has no tp_traverse of its own that can be called for objects of derived types.
 * That of a class written in Python cannot: it starts from the object's type, and would come back
 * here. So references in the __dict__ of such a base are not seen by the garbage collector.
 */
HPyAPI_INLINE int _HPyType_PassesOver(PyTypeObject *level)
{
    traverseproc traverse = _HPY_TP(level, traverseproc, traverse);
    PyTypeObject *base = _HPyType_Base(level);
    return traverse == _HPyLibrary_Shared.class_traverse ||
           (base != NULL && traverse == _HPY_TP(base, traverseproc, traverse));
}

/*
 * Runs a visitor over the fields of all structs from a level on. Sets `base` to the first level
 * that visits what is left by a function of its own, or NULL.
 */
HPyAPI_INLINE int _HPyType_VisitLevels(PyObject *self, PyTypeObject *level, HPyFunc_visitproc visit,
                                       void *arg, PyTypeObject **base)
{
    for (; level != NULL; level = _HPyType_Base(level)) {
        const _HPyType_Record *record = _HPyType_OwnRecord(level);
        if (record != NULL && !(record->flags & _HPY_RECORD_LEGACY_TRAVERSE)) {
            int status = _HPyType_VisitFields(self, record, visit, arg);
            if (status != 0) {
                return status;
            }
        } else if (!_HPyType_PassesOver(level)) {
            break;
        }
    }
    *base = level;
    return 0;
}

/* An object of a heap type refers to its type; the tp_traverse of a base that is a heap type
   visits it for all types derived from it. */
HPyAPI_INLINE int _HPyType_Traverse(PyObject *self, visitproc visit, void *arg)
{
    _HPyType_Visitor visitor = {visit, arg};
    PyTypeObject *base = NULL;
    traverseproc base_traverse;
    int status = _HPyType_VisitLevels(self, _HPyType_TraverseLevel(self), _HPyType_VisitField,
                                      &visitor, &base);
    if (status != 0) {
        return status;
    }
    base_traverse = base == NULL ? NULL : _HPY_TP(base, traverseproc, traverse);
    if (base_traverse == NULL) {
        return visit((PyObject *)Py_TYPE(self), arg);
    }
    if (!PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE)) {
        Py_VISIT(Py_TYPE(self));
    }
    return base_traverse(self, visit, arg);
}

HPyAPI_INLINE int _HPyType_Clear(PyObject *self)
{
    PyTypeObject *base = NULL;
    inquiry base_clear;
    _HPyType_VisitLevels(self, _HPyType_TraverseLevel(self), _HPyType_ClearField, NULL, &base);
    base_clear = base == NULL ? NULL : _HPY_TP(base, inquiry, clear);
    if (base_clear == NULL || base_clear == _HPyLibrary_Shared.class_clear) {
        return 0;
    }
    return base_clear(self);
}

/* What the trampoline of a traverse function does: the author's function on the object's struct. */
HPyAPI_INLINE int _HPyType_TraverseStruct(PyObject *self, HPyFunc_traverseproc author,
                                          visitproc visit, void *arg)
{
    _HPyType_Visitor visitor = {visit, arg};
    return author(_HPyType_FindStruct(self), _HPyType_VisitField, &visitor);
}

#endif /* HPY_CPYTHON_TYPE_GC_H */
