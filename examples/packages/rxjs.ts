/** rxjs: streams combined, without a clock. */
import {
  bufferCount,
  concatMap,
  filter,
  from,
  lastValueFrom,
  map,
  merge,
  of,
  reduce,
  scan,
  share,
  toArray,
  zip,
} from 'rxjs'

export default async function flow(numbers: number[]) {
  const source = from(numbers).pipe(share({ resetOnRefCountZero: true }))
  const even = from(numbers).pipe(
    filter((n) => n % 2 === 0),
    map((n) => n * 10),
  )
  return {
    sums: await lastValueFrom(
      source.pipe(
        scan((sum, n) => sum + n, 0),
        toArray(),
      ),
    ),
    pairs: await lastValueFrom(zip(from(numbers), even).pipe(toArray())),
    merged: await lastValueFrom(merge(even, of(-1)).pipe(bufferCount(2), toArray())),
    total: await lastValueFrom(
      from(numbers).pipe(
        concatMap((n) => Promise.resolve(n * n)),
        reduce((a, b) => a + b),
      ),
    ),
  }
}
