/** What the demo tells its pages, each a message of server-sent events. */

export type NodeKind = 'home' | 'agent' | 'tab'

/** A peer of the mesh, as it is drawn on the map. */
export interface MapNode {
  peer: string
  kind: NodeKind
  /** Such as `tab 2`. */
  name: string
  /** Tiles that it works at now. */
  running: number
  /** Tiles of all pictures that it computed, and that it verified. */
  computed: number
  verified: number
  /** PeerIds of those it is connected to. */
  links: string[]
}

/** A tile that came: its place, who computed it, who verified it. */
export interface TileNews {
  index: number
  by: string
  verifiers: string[]
  /** Someone had another answer, and was outvoted. */
  disputed: boolean
}

export type DemoEvent =
  | { t: 'hello'; number: number; tiles: TileNews[]; nodes: MapNode[]; done: boolean }
  | { t: 'picture'; number: number }
  /** `rgb`: its pixels, red, green, blue, row by row, as base64. */
  | { t: 'tile'; number: number; tile: TileNews; rgb: string }
  | { t: 'nodes'; nodes: MapNode[] }
  | { t: 'done'; number: number; ms: number }
