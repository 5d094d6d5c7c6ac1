/**
 * The certificate with which an agent serves https on a local network: made by itself, so that a browser warns of it. What
 * it is for is a secure context; who the agent is, the handshake inside proves.
 */
import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Certificate } from '../web-serving.ts'
import { bits, der, integer, octets, oid, sequence, set, TRUE, tagged, text, time } from './der.ts'

const DAY_MS = 86_400_000
/** Browsers refuse those that hold for more than 398 days. */
const LIFE_MS = 397 * DAY_MS
const RENEW_BEFORE_MS = 30 * DAY_MS
/** Clocks of phones are not all right. */
const BACKDATED_MS = DAY_MS

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))
const NAME = sequence(set(sequence(oid('2.5.4.3'), text('Wayside agent'))))

/** Sixteen bytes of an IPv6 address, four of an IPv4 one. */
const addressBytes = (address: string): Buffer => {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const between = new Array<number>(8 - before.length - after.length).fill(0)
  return Buffer.from([...before, ...between, ...after].flatMap((group) => [group >> 8, group & 0xff]))
}

/** RFC 5280, 4.2: what may be done with the key, and which addresses are meant. */
const extensions = (addresses: readonly string[]): Buffer => {
  const names = [der(0x82, Buffer.from('localhost')), ...addresses.map((one) => der(0x87, addressBytes(one)))]
  return sequence(
    sequence(oid('2.5.29.19'), TRUE, octets(sequence())),
    sequence(oid('2.5.29.15'), TRUE, octets(der(0x03, [7, 0x80]))),
    sequence(oid('2.5.29.37'), octets(sequence(oid('1.3.6.1.5.5.7.3.1')))),
    sequence(oid('2.5.29.17'), octets(sequence(...names))),
  )
}

const pem = (bytes: Buffer): string => {
  const lines = bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

/** A new key and a certificate of it by itself, for `localhost` and for IP addresses as text. */
export const makeCertificate = (addresses: readonly string[], nowMs: number): Certificate => {
  // Every browser knows this curve; few know Ed25519 here.
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const body = sequence(
    tagged(0, integer(Uint8Array.of(2))),
    // DER wants no zeros before a number.
    integer(Uint8Array.of(1, ...randomBytes(15))),
    ECDSA_SHA256,
    NAME,
    sequence(time(nowMs - BACKDATED_MS), time(nowMs - BACKDATED_MS + LIFE_MS)),
    NAME,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, extensions(addresses)),
  )
  const signature = sign('sha256', body, privateKey)
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem(sequence(body, ECDSA_SHA256, bits(signature))),
  }
}

/** Does it still serve, for all of `addresses`? */
const serves = ({ cert }: Certificate, addresses: readonly string[], nowMs: number): boolean => {
  const read = new X509Certificate(cert)
  const left = Date.parse(read.validTo) - nowMs
  return left > RENEW_BEFORE_MS && left < LIFE_MS && addresses.every((one) => read.checkIP(one) !== undefined)
}

const FILE = 'web-certificate.pem'

const read = (file: string): Certificate | undefined => {
  try {
    // What others could read may be known to them.
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) return undefined
    const [key, cert] = readFileSync(file, 'utf8').split(/(?=-----BEGIN CERTIFICATE-----)/)
    return key && cert ? { key, cert } : undefined
  } catch {
    return undefined
  }
}

/** The certificate of the data directory `data`: the one that is there, if it serves, else a new one. */
export const keptCertificate = (data: string, addresses: readonly string[], nowMs: number): Certificate => {
  const file = join(data, FILE)
  const there = read(file)
  try {
    if (there && serves(there, addresses, nowMs)) return there
  } catch {
    // What cannot be read as a certificate is replaced like one that has ended.
  }
  const made = makeCertificate(addresses, nowMs)
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, made.key + made.cert, { mode: 0o600, flush: true })
  renameSync(fresh, file)
  return made
}
