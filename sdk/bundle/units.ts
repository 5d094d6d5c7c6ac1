/** SIZE and DURATION as people write them: `512MiB`, `2GiB`, `500ms`, `30s`, `5m`. */
import { KIB, MIB } from '../../protocol/limits.ts'

const SIZE_UNITS = { KiB: KIB, MiB: MIB, GiB: 1024 * MIB } as const
const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

export const SIZE = /^([1-9][0-9]{0,8})(KiB|MiB|GiB)$/
export const DURATION = /^([1-9][0-9]{0,8})(ms|s|m|h)$/

/** Bytes, or undefined if `text` is no SIZE. */
export const parseSize = (text: string): number | undefined => {
  const [, count, unit] = SIZE.exec(text) ?? []
  return unit === undefined ? undefined : Number(count) * SIZE_UNITS[unit as keyof typeof SIZE_UNITS]
}

/** Milliseconds, or undefined if `text` is no DURATION. */
export const parseDuration = (text: string): number | undefined => {
  const [, count, unit] = DURATION.exec(text) ?? []
  return unit === undefined ? undefined : Number(count) * DURATION_UNITS[unit as keyof typeof DURATION_UNITS]
}
