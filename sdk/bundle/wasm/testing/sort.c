/* A WASI command: reads a number, sorts as many sines, prints some of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(void) {
  int n;
  if (scanf("%d", &n) != 1) return 2;
  double *values = malloc(n * sizeof *values);
  unsigned state = 1;
  for (int i = 0; i < n; i++) {
    state = state * 1103515245 + 12345;
    values[i] = sin((double)state) * 1000;
  }
  qsort(values, n, sizeof *values, ascending);
  char *text = calloc(n, 32);
  for (int i = 0; i < n; i += n / 5 + 1) sprintf(text + strlen(text), "%.6f ", values[i]);
  puts(text);
  return 0;
}
