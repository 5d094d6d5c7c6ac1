/** multiformats: the CID of a text, in two bases. */

import { sha256 } from '@noble/hashes/sha2.js'
import { base32 } from 'multiformats/bases/base32'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create } from 'multiformats/hashes/digest'

export default function name(text: string) {
  const cid = CID.createV1(raw.code, create(0x12, sha256(new TextEncoder().encode(text))))
  return { cid: cid.toString(base32), base58: cid.toString(base58btc), same: CID.parse(cid.toString()).equals(cid) }
}
