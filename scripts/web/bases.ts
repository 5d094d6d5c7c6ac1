/**
 * `multiformats/basics` as pages have it: the bases in which addresses, keys and hashes are written. Whoever writes a
 * certificate's hash in base 2, 8, 10 or in emoji is not dialled.
 */
import * as base16 from 'multiformats/bases/base16'
import * as base32 from 'multiformats/bases/base32'
import * as base36 from 'multiformats/bases/base36'
import * as base58 from 'multiformats/bases/base58'
import * as base64 from 'multiformats/bases/base64'

export const bases = { ...base16, ...base32, ...base36, ...base58, ...base64 }

export * as digest from 'multiformats/hashes/digest'
