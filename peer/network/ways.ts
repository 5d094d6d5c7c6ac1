/** The ways to one peer: the best of the connections to it, and in which order its addresses are told. */
import type { Connection } from '@libp2p/interface'
import { type AddressKind, addressKind } from '../../protocol/address-kind.ts'

/** Its bytes go through a third, who bounds them. */
export const isRelayed = ({ limits }: Pick<Connection, 'limits'>): boolean => limits !== undefined

/** Of one peer's: one that is open, and rather one on which nobody is between. */
export const bestOf = <C extends Pick<Connection, 'limits' | 'status'>>(connections: readonly C[]): C | undefined => {
  const open = connections.filter(({ status }) => status === 'open')
  return open.find((one) => !isRelayed(one)) ?? open[0]
}

/**
 * The first of each kind before the second of any: lists of addresses are cut short, and a page can dial no TCP. One that
 * is agreed on over a relay says all that one through the same relay says.
 */
export const alternatingKinds = (addresses: readonly string[]): string[] => {
  const agreed = new Set(
    addresses.filter((one) => addressKind(one) === 'webrtc').map((one) => one.replace('/webrtc', '')),
  )
  const byKind = new Map<AddressKind, string[]>()
  for (const address of addresses) {
    if (agreed.has(address)) continue
    const kind = addressKind(address)
    byKind.set(kind, [...(byKind.get(kind) ?? []), address])
  }
  const kinds = [...byKind.values()]
  const longest = Math.max(0, ...kinds.map(({ length }) => length))
  return Array.from({ length: longest }, (_, i) => kinds.flatMap((ofKind) => ofKind[i] ?? [])).flat()
}
