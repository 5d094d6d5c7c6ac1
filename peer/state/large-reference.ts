/** What stands in an entry in place of a value that is kept as blocks. Pure. */
import { LargeValue } from '../../protocol/large-values.ts'

/** No Value begins so, and no record: 0xff ends something in CBOR. Whatever else does is kept as blocks too, however short. */
const MARK = 0xff

export const isReference = (value: Uint8Array | undefined): value is Uint8Array => value?.[0] === MARK

export const encodeReference = (large: LargeValue): Uint8Array => {
  const record = LargeValue.encode(large)
  const value = new Uint8Array(1 + record.length)
  value[0] = MARK
  value.set(record, 1)
  return value
}

export const decodeReference = (value: Uint8Array): LargeValue => LargeValue.decode(value.subarray(1))

/** What the value of an entry comes to, with its blocks: as quotas count it. */
export const heldBytes = (value: Uint8Array): number =>
  value[0] === MARK ? decodeReference(value).bytes : value.length
