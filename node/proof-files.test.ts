import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { proofKeeper } from './proof-files.ts'

const keeper = () => {
  const data = mkdtempSync(join(tmpdir(), 'wayside-proofs-'))
  const events: string[] = []
  return { data, events, keep: proofKeeper(data, { event: (name) => void events.push(name) }) }
}

test('the first proof against a peer is kept, for its owner alone', () => {
  const { data, keep } = keeper()
  keep('a', Uint8Array.of(1))
  keep('a', Uint8Array.of(2))
  const path = join(data, 'proofs', 'a.cbor')
  expect([...readFileSync(path)]).toEqual([1])
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('6400 peers that are convicted leave 64 files', () => {
  const { data, events, keep } = keeper()
  for (let i = 0; i < 6400; i++) keep(`peer-${i}`, Uint8Array.of(1))
  expect(readdirSync(join(data, 'proofs'))).toHaveLength(64)
  expect(events).toEqual([])
})

test('a directory that cannot be written costs the proof, and says so', () => {
  const { data, events, keep } = keeper()
  writeFileSync(join(data, 'proofs'), 'a file in its place')
  keep('a', Uint8Array.of(1))
  expect(events).toEqual(['storage.failed'])
})
