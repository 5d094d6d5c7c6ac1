import { isAbsolute, relative } from 'node:path'

/** How messages call the file at `path`: relative to `cwd`, or whole where it lies outside. */
export const shownPath = (path: string, cwd: string): string => {
  const inside = relative(cwd, path)
  return inside === '' || inside.startsWith('..') || isAbsolute(inside) ? path : inside
}
