/** A trivial call of a node to a page over WebRTC, beside an echo of as many bytes on the same connection. */

import { MIB } from '../protocol/limits.ts'
import type { Channel } from '../protocol/ports.ts'
import { encodeValue } from '../protocol/values.ts'
import { serveEntry } from '../scripts/browser/entry-page.ts'
import { callIn } from '../scripts/browser/in-page.ts'
import { startBrowser } from '../scripts/browser/launch.ts'
import { interleave, latencies, median, rounded, row } from './measure.ts'
import { openPageMesh, type PageMesh } from './page-mesh.ts'

const ROUNDS = 5
const CALLS = 500
const ECHO = '/wayside/bench/echo'
/** Some bytes more than a call of this function and its answer have. */
const PAYLOAD = new Uint8Array(400)

/** One frame there and back at a time. */
const echoOn = (channel: Channel): (() => Promise<void>) => {
  let heard = () => {}
  channel.receive({ frame: () => heard(), closed: () => {} })
  return () =>
    new Promise((resolve) => {
      heard = resolve
      channel.send(PAYLOAD.slice())
    })
}

const callerOn = async ({ peer }: PageMesh): Promise<() => Promise<void>> => {
  const { cid } = await peer.publish({
    ...{ name: 'same', code: new TextEncoder().encode('export default (x) => x'), exports: ['default'], effects: [] },
    limits: { fuel: 1_000_000, memory_bytes: 64 * MIB, output_bytes: MIB },
  })
  const wish = { function: cid, export: 'default', level: { level: 'none' } as const, timeoutMs: 10_000, depth: 0 }
  return async () => {
    const { outcome } = await peer.call({
      ...wish,
      limits: undefined,
      input: encodeValue(1),
      remote: true,
      fresh: false,
    })
    if (!outcome.result.ok) throw new Error(outcome.result.code)
  }
}

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const pages = await openPageMesh('/ip4/127.0.0.1/udp/0/webrtc-direct')
  const served = await serveEntry(new URL('./lending-page.ts', import.meta.url))
  const browser = await startBrowser('chromium', { isUnwatched: true })
  const page = await browser.open(served.url)
  const lender = await callIn<string>(page, 'lending.lendAll', pages.ticket)
  await pages.lenders(1)
  const call = await callerOn(pages)
  const echo = echoOn(await pages.ports.network.open(lender, ECHO, { frameBytesMax: 65_536 }))
  const subjects = [
    { name: 'trivial call, node to page', run: async () => median(await latencies(call, CALLS)) },
    { name: 'echo on the same connection', run: async () => median(await latencies(echo, CALLS)) },
  ]
  const results = await interleave(subjects, ROUNDS, 2)
  await pages.mesh.close()
  await browser.close()
  served.close()
  for (const [name, times] of results) print(row(name, 'ms', times))
  const of = (name: string) => rounded(median(results.get(name) ?? []))
  return { p50_ms: of('trivial call, node to page'), floor_p50_ms: of('echo on the same connection') }
}
