/*
 * Which release these headers are, and which ABI they compile against.
 */
#ifndef HPY_VERSION_H
#define HPY_VERSION_H

#include "generated/version.h"

/**
 * The revision of the sources that a package was built from: empty unless the build defines it.
 */
#ifndef HPY_GIT_REVISION
#    define HPY_GIT_REVISION ""
#endif

/**
 * The major version of the universal ABI. A host refuses a library that asks for another one.
 */
#define HPY_ABI_VERSION 0

/**
 * The minor version that a library asks for: it runs on hosts with this or a later minor version.
 */
#define HPY_ABI_VERSION_MINOR 0

/**
 * The tag in the file name of a universal library: `name.hpy0.so`.
 */
#define HPY_ABI_TAG "hpy0"

#endif /* HPY_VERSION_H */
