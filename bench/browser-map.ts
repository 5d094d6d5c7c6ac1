/** The ray tracer's tiles on two pages, beside the same sandbox and engine in two workers of one page, without a peer. */
import { TILES } from '../examples/raytracer/plan.ts'
import { fn } from '../node/sdk.ts'
import { entryFiles } from '../scripts/browser/entry-page.ts'
import { callIn } from '../scripts/browser/in-page.ts'
import { startBrowser } from '../scripts/browser/launch.ts'
import { servePage } from '../scripts/browser/page-server.ts'
import { bundle } from '../sdk/bundle/index.ts'
import { interleave, median, rounded, row } from './measure.ts'
import { openPageMesh } from './page-mesh.ts'

const ROUNDS = 3
const SOURCE = new URL('../examples/raytracer/tile.ts', import.meta.url)
/** The coarser passes, as in `map-speedup`. */
const tiles = TILES.filter(({ step }) => step > 1)

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const pages = await openPageMesh('/ip4/127.0.0.1/tcp/0/ws')
  const files = await entryFiles(new URL('./lending-page.ts', import.meta.url))
  // An origin each: there is one peer in it.
  const servers = await Promise.all([1, 2, 3].map(() => servePage(files)))
  const browser = await startBrowser('chromium', { isUnwatched: true })
  const [plain, ...lending] = await Promise.all(servers.map(({ url }) => browser.open(url)))
  for (const page of lending) await callIn(page, 'lending.lendAll', pages.ticket)
  await pages.lenders(lending.length)
  const tile = fn<typeof import('../examples/raytracer/tile.ts').default>(SOURCE)
  const code = new TextDecoder().decode((await bundle(SOURCE)).code)
  const onPages = async (): Promise<number> => {
    const from = performance.now()
    for await (const item of pages.mesh.map(tile, tiles, { verify: 'none', remote: true }))
      if (!item.ok) throw item.error
    return performance.now() - from
  }
  const subjects = [
    { name: 'two pages of a mesh', run: onPages },
    { name: 'two workers of a page', run: () => callIn<number>(plain!, 'lending.runAll', code, tiles) },
  ]
  const results = await interleave(subjects, ROUNDS, 1)
  await pages.mesh.close()
  await browser.close()
  for (const server of servers) server.close()
  for (const [name, times] of results) print(row(name, 'ms', times))
  const of = (name: string) => median(results.get(name) ?? [])
  return { efficiency: rounded(of('two workers of a page') / of('two pages of a mesh')) }
}
