/** The demo's page: draws what the demo tells. What lends is not here: that is the tag's, in a frame of its own. */
import type { DemoEvent, MapNode, TileNews } from '../events.ts'
import { TILES } from '../picture.ts'
import { colourOf } from './colours.ts'
import { PeerMap } from './peer-map.ts'
import { PictureView } from './picture-view.ts'
import { TileGrid, type Whose } from './tile-grid.ts'

const RATE_MS = 3000
const element = <T extends Element = HTMLElement>(id: string) => document.getElementById(id) as unknown as T

const peers = new Map<string, MapNode>()
const GONE: Whose = { name: 'a peer that has left', colour: '#64748b' }

const whose = (peer: string): Whose => {
  const node = peers.get(peer)
  return node ? { name: node.name, colour: colourOf(node) } : GONE
}

const view = new PictureView(element('picture'), element('glow'))
const map = new PeerMap(element<SVGSVGElement>('map'))
const grid = new TileGrid(element('tiles'), element('card'), whose)
let tiles: TileNews[] = []
let number = 0
/** When tiles came, of late. */
let cameMs: number[] = []

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

const showShare = (): void => {
  const byTabs = tiles.filter(({ by }) => peers.get(by)?.kind === 'tab').length
  const byAgents = tiles.length - byTabs
  element('share-tabs').style.flexGrow = String(byTabs)
  element('share-agents').style.flexGrow = String(byAgents)
  const words = `${counted(byTabs, 'tile')} by tabs, ${counted(byAgents, 'tile')} by node agents`
  element('share').textContent = tiles.length === 0 ? 'No tiles yet' : words
}

const showProgress = (): void => {
  element('progress').style.transform = `scaleX(${tiles.length / TILES})`
  showShare()
}

const say = (words: string): void => {
  const state = element('state')
  if (state.textContent !== words) state.textContent = words
}

const begin = (next: number): void => {
  number = next
  tiles = []
  grid.clear()
  say(`Picture ${number + 1} is being painted`)
  showProgress()
}

const receive = (tile: TileNews, rgb: Uint8Array): void => {
  const { colour } = whose(tile.by)
  tiles.push(tile)
  cameMs.push(performance.now())
  view.tile(tile.index, rgb, colour)
  grid.set(tile)
  map.travel(tile.by, colour)
  showProgress()
}

const row = ({ name, kind, computed, verified, ...node }: MapNode): HTMLElement => {
  const item = document.createElement('li')
  const dot = document.createElement('i')
  dot.style.setProperty('--of', colourOf({ name, kind }))
  const bold = document.createElement('b')
  bold.textContent = name
  const words = kind === 'home' ? ' asks' : ` computed ${computed}, checked ${verified}`
  item.append(dot, bold, words)
  item.title = node.peer
  return item
}

const meet = (nodes: readonly MapNode[]): void => {
  for (const node of nodes) peers.set(node.peer, node)
  map.show(nodes)
  element('peers').replaceChildren(...nodes.map(row))
  element('tabs').textContent = String(nodes.filter(({ kind }) => kind === 'tab').length)
  element('agents').textContent = String(nodes.filter(({ kind }) => kind === 'agent').length)
}

const catchUp = async (there: readonly TileNews[]): Promise<void> => {
  const picture = await fetch('/picture')
  view.show(new Uint8Array(await picture.arrayBuffer()))
  for (const tile of there) grid.set(tile)
}

const hear = (event: DemoEvent): void => {
  switch (event.t) {
    case 'hello':
      meet(event.nodes)
      begin(event.number)
      tiles = [...event.tiles]
      if (event.done) say(`Picture ${event.number + 1} is done: every tile was computed twice, with one result`)
      showProgress()
      return void catchUp(event.tiles)
    case 'nodes':
      return meet(event.nodes)
    case 'picture':
      view.fade()
      return begin(event.number)
    case 'tile':
      return receive(event.tile, bytesOf(event.rgb))
    case 'done':
      return say(
        `Picture ${event.number + 1} is done in ${(event.ms / 1000).toFixed(1)} s: every tile was computed twice, with one result`,
      )
  }
}

const events = new EventSource('/events')
events.onmessage = ({ data }) => hear(JSON.parse(data))
events.onopen = () => element('lost').toggleAttribute('hidden', true)
events.onerror = () => element('lost').toggleAttribute('hidden', false)
setInterval(() => {
  const nowMs = performance.now()
  cameMs = cameMs.filter((ms) => nowMs - ms < RATE_MS)
  const rate = (1000 * cameMs.length) / RATE_MS
  element('rate').textContent = rate >= 10 || rate === 0 ? rate.toFixed(0) : rate.toFixed(1)
}, 250)
