/* What both solvers share: the elimination itself. */
#include <math.h>
#include <stdlib.h>

/* Solves `size` equations, rows of `size` factors and the right side, which becomes the solution.
   False if there is none, or no single one. */
static inline int gauss(double *matrix, long size)
{
    const long width = size + 1;
    for (long k = 0; k < size; k++) {
        double *pivot = matrix + k * width;
        for (double *row = pivot; row < matrix + size * width; row += width) {
            if (fabs(row[k]) > fabs(pivot[k])) {
                for (long j = 0; j < width; j++) {
                    double swapped = row[j];
                    row[j] = pivot[j];
                    pivot[j] = swapped;
                }
            }
        }
        if (fabs(pivot[k]) < 1e-12)
            return 0;
        for (long i = 0; i < size; i++) {
            double *row = matrix + i * width;
            double factor = row[k] / pivot[k];
            for (long j = k; i != k && factor != 0 && j < width; j++)
                row[j] -= factor * pivot[j];
        }
    }
    for (long i = 0; i < size; i++)
        matrix[i * width + size] /= matrix[i * width + i];
    return 1;
}
