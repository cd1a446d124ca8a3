/* What rustc compiles with ThreadSanitizer calls three functions of C by names of LLVM's runtime.
   GCC's, which CPython is linked with, stands in front of the functions themselves. */
#include <string.h>

void *__tsan_memcpy(void *target, const void *source, size_t size)
{
    return memcpy(target, source, size);
}

void *__tsan_memmove(void *target, const void *source, size_t size)
{
    return memmove(target, source, size);
}

void *__tsan_memset(void *target, int byte, size_t size)
{
    return memset(target, byte, size);
}
