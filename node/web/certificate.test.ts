import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { keptCertificate, makeCertificate } from './certificate.ts'
import { integer, oid, sequence, time } from './der.ts'

const NOW_MS = Date.UTC(2026, 10, 28, 12)
const DAY_MS = 86_400_000
const ADDRESSES = ['192.168.1.20', '10.0.0.255', 'fe80::1', '2001:db8::', '::1', '1:2:3:4:5:6:7:8']

test('the certificate is its own, for each address and no other, for as long as browsers allow', () => {
  const { key, cert } = makeCertificate(ADDRESSES, NOW_MS)
  const read = new X509Certificate(cert)
  expect(read.verify(read.publicKey)).toBe(true)
  expect(read.checkPrivateKey(createPrivateKey(key))).toBe(true)
  for (const address of ADDRESSES) expect(read.checkIP(address), address).toBe(address)
  for (const address of ['192.168.1.21', 'fe80::2', '127.0.0.1']) expect(read.checkIP(address)).toBeUndefined()
  expect(read.checkHost('localhost')).toBe('localhost')
  expect(read.ca).toBe(false)
  expect(read.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  expect(Date.parse(read.validFrom)).toBe(NOW_MS - DAY_MS)
  expect((Date.parse(read.validTo) - NOW_MS) / DAY_MS).toBe(396)
  expect(makeCertificate(ADDRESSES, NOW_MS).key).not.toBe(key)
})

test('https with it, by one that trusts it alone and checks the address', async () => {
  const made = makeCertificate(['127.0.0.1'], Date.now())
  const server = createServer(made, (_, response) => response.end('ok')).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const [response] = await once(get({ host: '127.0.0.1', port, ca: made.cert, agent: false }), 'response')
  expect(String(Buffer.concat(await response.toArray()))).toBe('ok')
  const other = get({ host: '127.0.0.1', port, ca: makeCertificate([], Date.now()).cert, agent: false })
  expect((await once(other, 'error'))[0].code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
})

test('it is kept for its owner alone, and made anew when an address is new, its end is near, or others could read it', () => {
  const data = mkdtempSync(join(tmpdir(), 'wayside-certificate-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  const file = join(data, 'web-certificate.pem')
  const kept = (addresses: string[], nowMs = NOW_MS) => keptCertificate(data, addresses, nowMs).cert
  const first = kept(['10.0.0.1', '10.0.0.2'])
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(kept(['10.0.0.1', '10.0.0.2'])).toBe(first)
  expect(kept(['10.0.0.2'])).toBe(first)
  expect(kept(['10.0.0.1'], NOW_MS + 360 * DAY_MS)).toBe(first)
  const second = kept(['10.0.0.1', '10.0.0.3'])
  expect(second).not.toBe(first)
  const third = kept(['10.0.0.1'], NOW_MS + 367 * DAY_MS)
  expect(third).not.toBe(second)
  expect(kept(['10.0.0.1'], NOW_MS), 'from a clock that went back').not.toBe(third)
  if (process.platform !== 'win32') {
    const fourth = kept(['10.0.0.1'])
    chmodSync(file, 0o644)
    expect(kept(['10.0.0.1'])).not.toBe(fourth)
  }
  for (const damage of ['', 'x', readFileSync(file, 'utf8').replaceAll('A', 'B')]) {
    writeFileSync(file, damage, { mode: 0o600 })
    const read = new X509Certificate(kept(['10.0.0.1']))
    expect(read.checkIP('10.0.0.1')).toBe('10.0.0.1')
  }
})

test('DER: numbers stay positive, long lengths and years have more digits', () => {
  expect(integer(Uint8Array.of(0x80)).toString('hex')).toBe('02020080')
  expect(integer(Uint8Array.of(0x7f)).toString('hex')).toBe('02017f')
  expect(sequence(Buffer.alloc(127)).subarray(0, 2).toString('hex')).toBe('307f')
  expect(sequence(Buffer.alloc(200)).subarray(0, 3).toString('hex')).toBe('3081c8')
  expect(sequence(Buffer.alloc(70_000)).subarray(0, 5).toString('hex')).toBe('3083011170')
  expect(oid('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302')
  expect(String(time(Date.UTC(2049, 11, 31, 23, 59, 59)))).toBe('\u0017\r491231235959Z')
  expect(String(time(Date.UTC(2050, 0, 1)))).toBe('\u0018\u000f20500101000000Z')
})
