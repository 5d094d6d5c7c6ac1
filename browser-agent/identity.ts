/** The peer's key in this browser: one that cannot be read out again, where WebCrypto has Ed25519; else a kept seed. */
import { ed25519 } from '@noble/curves/ed25519.js'
import type { Signer } from '../protocol/ports.ts'
import { ED25519, exclusive, KEY_BYTES } from './crypto.ts'
import { KEYS, type PageDatabase } from './database.ts'
import { pageRandom } from './random.ts'

const OWN_KEY = 'own'

/** As it lies in the database. A CryptoKey that is not extractable is kept, and works, but no program sees its bytes. */
type KeptKey = { pair: CryptoKeyPair } | { seed: Uint8Array }

const makeKey = async (native: boolean): Promise<KeptKey> =>
  native
    ? { pair: (await crypto.subtle.generateKey(ED25519, false, ['sign', 'verify'])) as CryptoKeyPair }
    : { seed: pageRandom.bytes(KEY_BYTES) }

const signerOf = async (kept: KeptKey): Promise<Signer> => {
  if ('seed' in kept) {
    const { seed } = kept
    return { publicKey: ed25519.getPublicKey(seed), sign: (bytes) => ed25519.sign(bytes, seed) }
  }
  const { publicKey, privateKey } = kept.pair
  return {
    publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)),
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign(ED25519, privateKey, exclusive(bytes))),
  }
}

const keyIn = async (database: PageDatabase): Promise<KeptKey | undefined> => {
  const [kept] = await database.read<[KeptKey | undefined]>(KEYS, (store) => [store.get(OWN_KEY)])
  return kept
}

/** The key in `database`, made if there is none. Throws MeshError E_STORAGE. */
export const openIdentity = async (database: PageDatabase, native: boolean): Promise<Signer> => {
  const kept = await keyIn(database)
  if (kept) return signerOf(kept)
  const fresh = await makeKey(native)
  // Never over a key that another page has put there meanwhile.
  await database.write(
    KEYS,
    (store) => {
      const there = store.getKey(OWN_KEY)
      there.onsuccess = () => there.result === undefined && store.put(fresh, OWN_KEY)
    },
    true,
  )
  return signerOf((await keyIn(database)) ?? fresh)
}

/** A key for as long as the page is open. */
export const freshIdentity = async (native: boolean): Promise<Signer> => signerOf(await makeKey(native))
