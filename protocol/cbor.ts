/** The parts of CBOR (RFC 8949) that DAG-CBOR uses. */
import { CID_BYTES } from './cid.ts'
import { VALUE_DEPTH_MAX } from './limits.ts'

/** Major types (RFC 8949, 3.1). */
export const UNSIGNED = 0
export const NEGATIVE = 1
export const BYTES = 2
export const TEXT = 3
export const LIST = 4
export const MAP = 5
export const TAG = 6
export const SIMPLE = 7

/** Whole heads of major type 7. */
export const FALSE = 0xf4
export const TRUE = 0xf5
export const NULL = 0xf6
export const FLOAT_64 = 0xfb

export const CID_TAG = 42
/** The head of the byte string inside a CID's tag, and the zero byte that precedes the CID. */
export const CID_PREFIX = Uint8Array.of(0x58, 1 + CID_BYTES, 0)

/** The least argument that needs 1, 2, 4 or 8 bytes after the head. */
export const LEAST = [24, 2 ** 8, 2 ** 16, 2 ** 32] as const

/** The deepest Value, and the two maps in which a bigint in it is written. */
export const DEPTH_MAX = VALUE_DEPTH_MAX + 2
