/*
 * Found instead of CPython's header when a build for the universal ABI puts this folder first on
 * its include path.
 */
#error "It is forbidden to #include <Python.h> when targeting the HPy Universal ABI"
