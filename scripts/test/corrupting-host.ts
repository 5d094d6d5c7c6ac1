/** A machine whose memory loses a bit while a guest runs: the real sandbox, in which one byte changes at a known tick. */
import { readFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import type { Clock, SandboxHost } from '../../protocol/ports.ts'
import { ENGINES } from '../../sandbox/engines.ts'
import { serveSandbox } from '../../sandbox/worker.ts'
import { createReleasesHost } from '../../simulations/sandbox-host.ts'
import { ENGINE_FILE } from '../engine/source.ts'
import { machine } from './world.ts'

const MARK = Uint8Array.from({ length: 16 }, (_, i) => (37 * i + 11) & 255)

/** A function of n rounds, whose byte behind a mark in memory is all that changes: it returns it, or does without. */
export const marked = (returned: boolean): string => `export default (n) => {
  const mark = new Uint8Array(32)
  for (let i = 0; i < ${MARK.length}; i++) mark[i] = (37 * i + 11) & 255
  let sum = 0
  for (let i = 0; i < n; i++) sum += i % 7
  return ${returned ? `sum + mark[${MARK.length}]` : 'sum'}
}`

type Imports = Record<string, Record<string, unknown>>

/** The engine's imports, whose tick number `atTick` of a marked run comes with a bit changed. */
const corrupted = (imports: Imports, atTick: number): Imports => {
  const { a: memory, i: tick } = imports.a as { a: WebAssembly.Memory; i: () => number }
  let seen = 0
  const i = () => {
    const bytes = Buffer.from(memory.buffer)
    const at = bytes.indexOf(MARK)
    // Tick 0 is before the guest runs.
    seen = at < 0 ? 0 : seen + 1
    if (seen === atTick) bytes[at + MARK.length] = 1
    return tick()
  }
  return { a: { ...imports.a, i } }
}

/** A host for the running test. */
export const corruptingHost =
  (atTick: number) =>
  (_: SandboxHost, clock: Clock): SandboxHost => {
    const wasm = new WebAssembly.Module(readFileSync(ENGINE_FILE))
    const { Instance } = WebAssembly
    const construct = (target: typeof Instance, [module, imports]: [WebAssembly.Module, Imports]) =>
      new target(module, (module === wasm ? corrupted(imports, atTick) : imports) as WebAssembly.Imports)
    WebAssembly.Instance = new Proxy(Instance, { construct: construct as never })
    onTestFinished(() => {
      WebAssembly.Instance = Instance
    })
    const serve: typeof serveSandbox = (ports) => serveSandbox({ ...ports, wasm })
    return createReleasesHost(clock, machine.crypto, [{ engines: ENGINES, wasm, serve }])
  }
