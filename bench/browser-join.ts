/**
 * From a click in a page to the first advertisement that a node has of it: its code, worker and engine fetched, a key made,
 * a membership earned, on loopback. Each time in an origin where nothing was before.
 */
import { entryFiles } from '../scripts/browser/entry-page.ts'
import { startBrowser } from '../scripts/browser/launch.ts'
import { HTML, servePage } from '../scripts/browser/page-server.ts'
import { median, rounded, row } from './measure.ts'
import { openPageMesh } from './page-mesh.ts'

const ROUNDS = 10

/** The instant of the click, on the clock of the machine. */
const pageFor = (ticket: string): string => `<!doctype html><title>Wayside</title><link rel="icon" href="data:,">
<button style="width: 200px; height: 80px">Lend</button>
<script>document.querySelector('button').onclick = async ({ timeStamp }) => {
  globalThis.clickedMs = performance.timeOrigin + timeStamp
  await import('/page.js')
  await lending.lend(${JSON.stringify(ticket)})
}</script>`

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const files = await entryFiles(new URL('./lending-page.ts', import.meta.url))
  const browser = await startBrowser('chromium')
  const times: number[] = []
  for (let round = -1; round < ROUNDS; round++) {
    const { mesh, ticket, lenders } = await openPageMesh('/ip4/127.0.0.1/tcp/0/ws')
    const server = await servePage({ ...files, '/': { type: HTML, body: pageFor(ticket) } })
    const page = await browser.open(server.url)
    await page.click('button')
    const seenMs = await lenders(1)
    const clickedMs = (await page.evaluate('globalThis.clickedMs')) as number
    if (round >= 0) times.push(seenMs - clickedMs)
    await page.close()
    server.close()
    await mesh.close()
  }
  await browser.close()
  print(row('click to first advertisement', 'ms', times))
  return { p50_ms: rounded(median(times)) }
}
