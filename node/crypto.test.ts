import { describe, expect, test } from 'vitest'
import { createCrypto, createSigner, generatePrivateKey } from './crypto.ts'

const fromHex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

/** RFC 8032, section 7.1: TEST 1, 2, 3 and SHA(abc). */
const VECTORS = [
  {
    name: 'TEST 1',
    privateKey: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    name: 'TEST 2',
    privateKey: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    name: 'TEST 3',
    privateKey: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    name: 'TEST SHA(abc)',
    privateKey: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
]

describe('Ed25519', () => {
  const crypto = createCrypto()

  test.each(VECTORS)('$name of RFC 8032', async (vector) => {
    const signer = createSigner(fromHex(vector.privateKey))
    expect(signer.publicKey).toEqual(fromHex(vector.publicKey))
    const signature = await signer.sign(fromHex(vector.message))
    expect(signature).toEqual(fromHex(vector.signature))
    expect(await crypto.verify(signer.publicKey, fromHex(vector.message), signature)).toBe(true)
  })

  test('refuses a changed message, signature or key', async () => {
    const signer = createSigner(generatePrivateKey())
    const message = new Uint8Array([1, 2, 3])
    const signature = await signer.sign(message)
    const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
    expect(await crypto.verify(signer.publicKey, flip(message, 0), signature)).toBe(false)
    for (let at = 0; at < 64; at += 1)
      expect(await crypto.verify(signer.publicKey, message, flip(signature, at))).toBe(false)
    expect(await crypto.verify(createSigner(generatePrivateKey()).publicKey, message, signature)).toBe(false)
  })

  test('never throws, whatever it is given', async () => {
    const key = createSigner(generatePrivateKey()).publicKey
    const wrong = [new Uint8Array(0), new Uint8Array(31), new Uint8Array(33), new Uint8Array(64), key]
    for (const publicKey of [...wrong, new Uint8Array(32).fill(255)])
      for (const signature of [...wrong, new Uint8Array(64).fill(255)])
        expect(await crypto.verify(publicKey, new Uint8Array(5), signature)).toBe(false)
  })

  test('still verifies a key once more keys were seen than it keeps', async () => {
    const message = new Uint8Array([7])
    const signers = Array.from({ length: 300 }, () => createSigner(generatePrivateKey()))
    for (const signer of [...signers, signers[0]!])
      expect(await crypto.verify(signer.publicKey, message, await signer.sign(message))).toBe(true)
  })

  test('a private key of another length is refused', () => {
    expect(() => createSigner(new Uint8Array(64))).toThrow('32 bytes, not 64')
  })
})

test('SHA-256 of "abc" (FIPS 180-2, appendix B.1)', () => {
  const digest = createCrypto().hash(new TextEncoder().encode('abc'))
  expect(digest).toEqual(fromHex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'))
})
