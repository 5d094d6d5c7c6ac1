import type { Crypto } from '../protocol/ports.ts'

/** A number in [0, 1) for two peers: uniform, and the same whichever of them draws it. */
export const lotBetween = ({ hash }: Pick<Crypto, 'hash'>, one: string, other: string): number => {
  const [a, b, c, d] = hash(new TextEncoder().encode([one, other].sort().join(' ')))
  return (((a as number) * 256 + (b as number)) * 65_536 + (c as number) * 256 + (d as number)) / 2 ** 32
}
