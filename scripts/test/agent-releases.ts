/**
 * Two releases of the whole agent, to be run as processes: an older one on another engine, and this one, which carries the engine of
 * the older. Both are copies of what an agent is made of.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENGINE_ID } from '../../sandbox/engine-id.ts'
import { keepOlderRelease, SHALLOW } from './older-release.ts'

const ROOT = join(import.meta.dirname, '../..')
const PARTS = ['bin', 'browser-agent', 'node', 'package.json', 'peer', 'protocol', 'registry', 'sandbox', 'sdk']
const RELEASES = 'sandbox/releases'

const isPart = (path: string): boolean => !path.endsWith('.test.ts') && !path.startsWith(join(ROOT, RELEASES))

const copyTo = (folder: string): void => {
  for (const part of PARTS) cpSync(join(ROOT, part), join(folder, part), { recursive: true, filter: isPart })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
}

const change = (file: string, from: string, to: string): void => {
  const text = readFileSync(file, 'utf8')
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`)
  writeFileSync(file, text.replace(from, to))
}

/** Scripts that are the command `wayside`. */
export interface AgentReleases {
  older: string
  newer: string
  remove(): void
}

export const keepAgentReleases = async (): Promise<AgentReleases> => {
  const folder = mkdtempSync(join(tmpdir(), 'wayside-agents-'))
  const [older, newer] = [join(folder, 'older'), join(folder, 'newer')]
  const { release, folder: kept, remove } = await keepOlderRelease()
  for (const one of [older, newer]) copyTo(one)
  cpSync(fileURLToPath(release.wasm), join(older, 'sandbox/quickjs.wasm'))
  change(join(older, 'sandbox/constants.ts'), ...SHALLOW)
  change(join(older, 'sandbox/engine-id.ts'), ENGINE_ID, release.engines[0] as string)
  cpSync(kept, join(newer, RELEASES), { recursive: true })
  remove()
  const script = (one: string) => join(one, 'bin/wayside.js')
  return { older: script(older), newer: script(newer), remove: () => rmSync(folder, { recursive: true }) }
}
