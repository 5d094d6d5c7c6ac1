/** The commands of a move against a home that keeps something else than it was given, and moves that are taken back. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { OwnerAccess } from '../../peer/state/owner-access.ts'
import { openStorageEngine } from '../../peer/state/storage-engine.ts'
import { createMemoryStorage } from '../../peer/storage/memory.ts'
import { decodeValue, encodeValue, type Value } from '../../protocol/values.ts'
import { seedFor } from '../../scripts/test/seed.ts'
import { seededRandom } from '../../simulations/random.ts'
import { systemClock } from '../clock.ts'
import { startControlServer } from '../control/server.ts'
import type { AgentControls } from '../control/session.ts'
import { freshDirectory } from '../testing/wayside.ts'
import { exportState, importState } from './state-move.ts'

const ENTRIES = { a: 1, b: 2, c: 3 }
type Loaded = Parameters<OwnerAccess['load']>[2]

let printed = ''
beforeEach(() => {
  printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text
    return true
  })
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(() => {
  vi.restoreAllMocks()
})

const ATTIC = '12D3KooWMiRP4Nt62Abccr2GW62pRaMJM3887HcYkRSJ9wxKb9K7'
const CELLAR = '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'

/** The state of an agent and its control socket. `spoil`: what the home keeps of what it is given to load. */
const startHome = async (name: string, peerId = ATTIC) => {
  const quotaOf = () => ({ keys: 1000, bytes: 2 ** 20 })
  const engine = await openStorageEngine({ storage: createMemoryStorage(), quotaOf, damaged: () => {} })
  const home = { data: freshDirectory(), spoil: (entries: Loaded): Loaded => entries }
  class Spoiling extends OwnerAccess {
    override load(namespace: string, move: string, entries: Loaded) {
      return super.load(namespace, move, home.spoil(entries))
    }
  }
  const owner = new Spoiling({ clock: systemClock, random: seededRandom(seedFor(name)), network: { peerId } }, engine)
  const server = await startControlServer(home.data, { state: () => owner } as unknown as AgentControls)
  onTestFinished(() => server.close())
  const put = (key: string, value: Value) => owner.put('shop', key, encodeValue(value))
  const kept = async () => {
    const { entries } = await owner.list({ namespace: 'shop', prefix: '', limit: 10 })
    return Object.fromEntries(entries.map(({ key, value }) => [key, decodeValue(value as Uint8Array)]))
  }
  return Object.assign(home, { put, kept })
}

/** A home that has begun to move to the attic, and the file that it gave. */
const leaving = async (name: string) => {
  const home = await startHome(name, CELLAR)
  for (const [key, value] of Object.entries(ENTRIES)) await home.put(key, value)
  await exportState('shop', { data: home.data, to: ATTIC })
  const file = join(home.data, 'export.ndjson')
  writeFileSync(file, printed)
  const { sha256 } = JSON.parse(printed.trimEnd().split('\n').at(-1) as string) as { sha256: string }
  return { home, file, sha256 }
}

test('with a hash of something else nothing is deleted, and it still leaves', async () => {
  const { home, sha256 } = await leaving('wrong hash')
  const { data } = home
  await expect(exportState('shop', { data, moved: 'f'.repeat(64) })).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining(`what is kept here has hash ${sha256}`),
  })
  expect(await home.kept()).toEqual(ENTRIES)
  await expect(home.put('d', 4)).rejects.toMatchObject({ code: 'E_STATE_MOVING' })
  await exportState('shop', { data, moved: sha256 })
  await expect(home.kept()).rejects.toMatchObject({ code: 'E_NAMESPACE_TAKEN' })
  // Again it is gone already.
  await exportState('shop', { data, moved: sha256 })
})

test.each<[string, (entries: Loaded) => Loaded]>([
  ['an entry less', (entries) => entries.slice(1)],
  ['another value', ([first, ...others]) => [{ ...(first as Loaded[number]), value: encodeValue(0) }, ...others]],
])('a home that keeps %s than the file has does not use it; taken back, it comes again', async (name, spoil) => {
  const { file, sha256 } = await leaving(name)
  const there = await startHome(`${name}, there`)
  const { data } = there
  there.spoil = spoil
  await expect(importState(file, { data })).rejects.toMatchObject({
    code: 'E_STORAGE',
    message: expect.stringMatching(new RegExp(`the file 3 with ${sha256}: it is not used`)),
  })
  await expect(there.kept()).rejects.toMatchObject({ code: 'E_STATE_MOVING' })
  await expect(there.put('d', 4)).rejects.toMatchObject({ code: 'E_STATE_MOVING' })
  await importState(file, { data, undo: true })
  expect(await there.kept()).toEqual({})
  there.spoil = (entries) => entries
  await importState(file, { data })
  expect(await there.kept()).toEqual(ENTRIES)
  await there.put('d', 4)
})

test('a file that moves a namespace to one home is taken by no other, and by none where it does not say to which', async () => {
  const { home, file } = await leaving('one home')
  const other = await startHome('another home', CELLAR)
  await expect(importState(file, { data: other.data })).rejects.toMatchObject({
    code: 'E_NAMESPACE_TAKEN',
    message: expect.stringContaining(`is moving to the home ${ATTIC}, and this is ${CELLAR}`),
  })
  expect(await other.kept()).toEqual({})
  await other.put('d', 4)
  const there = await startHome('that home')
  await importState(file, { data: there.data })
  expect(await there.kept()).toEqual(ENTRIES)
  writeFileSync(file, printed.replace(`,"to":"${ATTIC}"`, ''))
  await expect(importState(file, { data: there.data })).rejects.toMatchObject({ code: 'E_INPUT' })
  await expect(exportState('shop', { data: home.data, to: 'attic' })).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining('give the peer ID of the home'),
  })
})

test('what was to leave stays after all, and takes writes again', async () => {
  const { home } = await leaving('stays')
  await exportState('shop', { data: home.data, undo: true })
  await home.put('d', 4)
  expect(await home.kept()).toEqual({ ...ENTRIES, d: 4 })
  await expect(exportState('shop', { data: home.data, undo: true })).rejects.toMatchObject({ code: 'E_USAGE' })
})
