/* Arithmetic on arrays of numbers, with no Python in it: every step of the port uses it as it is.
 */
#ifndef POINTS_VECTOR_H
#define POINTS_VECTOR_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

static inline void vector_combine(double *result, const double *a, double scale, const double *b,
                                  size_t n)
{
    for (size_t i = 0; i < n; i++)
        result[i] = a[i] + scale * b[i];
}

static inline void vector_scale(double *result, double scale, const double *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        result[i] = scale * a[i];
}

static inline double vector_distance(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum);
}

static inline double vector_length(const double *a, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * a[i];
    return sqrt(sum);
}

static inline bool vector_equal(const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

#endif
