/** One picture after another, each tile computed by one peer and verified by another, told to whoever looks. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sdkHost } from '../../node/sdk-host.ts'
import { inputsOf } from '../../peer/inputs.ts'
import { MeshError } from '../../protocol/errors.ts'
import { decodeValue, encodeValue } from '../../protocol/values.ts'
import type { BackendResult } from '../../sdk/backend.ts'
import { functionBundleOf } from '../../sdk/function-bundle.ts'
import { createPeerBackend } from '../../sdk/peer-backend.ts'
import type { DemoEvent, TileNews } from './events.ts'
import type { DemoMesh } from './mesh.ts'
import { HEIGHT, ORDER, placeTile, TILES, tileInput, WIDTH } from './picture.ts'

const SOURCE = fileURLToPath(new URL('../../examples/raytracer/part.as.ts', import.meta.url))
/** Two executors sign the same pixels before a tile is shown. */
const LEVEL = 'quorum:2'
/** A tab may be put to sleep with tiles in hand. */
const TIMEOUT_MS = 60_000
const NODES_EVERY_MS = 400
const AGAIN_MS = 500

export interface ShowOptions {
  /** Along each side of a pixel. */
  rays: number
  /** How long a picture that is whole is looked at. */
  restMs: number
}

/** The function that computes a tile; it takes seconds to compile. */
export const bundlePart = () => sdkHost.bundle(SOURCE)

const pixelsOf = ({ outcome: { result } }: BackendResult): Uint8Array => {
  if (!result.ok) throw new MeshError(result.code, result.message)
  return decodeValue(result.value) as Uint8Array
}

export class Show {
  readonly #mesh: DemoMesh
  readonly #options: ShowOptions
  readonly #bundled: ReturnType<typeof bundlePart>
  readonly #listeners = new Set<(event: DemoEvent) => void>()
  #tiles: TileNews[] = []
  #said = ''
  /** The picture as far as it has come. */
  readonly rgb = new Uint8Array(3 * WIDTH * HEIGHT)
  number = 0

  constructor(mesh: DemoMesh, bundled: ReturnType<typeof bundlePart>, options: ShowOptions) {
    this.#mesh = mesh
    this.#bundled = bundled
    this.#options = options
  }

  /** Tells `listener` what there is, then what comes, until the returned function is called. */
  subscribe(listener: (event: DemoEvent) => void): () => void {
    const tiles = [...this.#tiles]
    listener({ t: 'hello', number: this.number, tiles, nodes: this.#mesh.nodes(), done: tiles.length === TILES })
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Until `signal` fires. Throws MeshError if the function cannot be published. */
  async run(signal: AbortSignal): Promise<void> {
    const telling = setInterval(() => this.#tellNodes(), NODES_EVERY_MS)
    try {
      const { bundle } = await this.#bundled
      const backend = createPeerBackend(this.#mesh.home.peer)
      const { cid } = await backend.publish(functionBundleOf(bundle))
      for (; !signal.aborted; this.number++) {
        await this.#paint(backend, cid, signal)
        await sleep(this.#options.restMs, undefined, { signal })
      }
    } catch (cause) {
      if (!signal.aborted) throw cause
    } finally {
      clearInterval(telling)
    }
  }

  async #paint(backend: ReturnType<typeof createPeerBackend>, cid: string, signal: AbortSignal): Promise<void> {
    const startMs = performance.now()
    this.#tiles = []
    this.#tell({ t: 'picture', number: this.number })
    let missing: readonly number[] = ORDER
    while (missing.length > 0) {
      missing = await this.#paintTiles(backend, cid, missing, signal)
      // Too few are there to agree.
      if (missing.length > 0) await sleep(AGAIN_MS, undefined, { signal })
    }
    this.#tell({ t: 'done', number: this.number, ms: Math.round(performance.now() - startMs) })
  }

  /** The tiles that could not be had: their peers left, and no two were there to agree. */
  async #paintTiles(
    backend: ReturnType<typeof createPeerBackend>,
    cid: string,
    wanted: readonly number[],
    signal: AbortSignal,
  ): Promise<number[]> {
    const inputs = wanted.map((index) => encodeValue(tileInput(this.number, index, this.#options.rays)))
    const asked = { verify: LEVEL, timeoutMs: TIMEOUT_MS, remote: true, signal, unordered: true }
    const missing: number[] = []
    for await (const items of backend.map({ ...asked, function: cid, export: 'part', inputs: inputsOf(inputs) })) {
      for (const item of items) {
        const index = wanted[item.index] as number
        if ('error' in item) missing.push(index)
        else this.#receive(index, item.result)
      }
    }
    return missing
  }

  #receive(index: number, result: BackendResult): void {
    const [by = '', ...verifiers] = result.executors
    const pixels = pixelsOf(result)
    const tile = { index, by, verifiers, disputed: result.disputes.length > 0 }
    placeTile(this.rgb, index, pixels)
    this.#tiles.push(tile)
    this.#mesh.count(tile)
    this.#tell({ t: 'tile', number: this.number, tile, rgb: Buffer.from(pixels).toString('base64') })
  }

  #tellNodes(): void {
    const nodes = this.#mesh.nodes()
    const text = JSON.stringify(nodes)
    if (text === this.#said) return
    this.#said = text
    this.#tell({ t: 'nodes', nodes })
  }

  #tell(event: DemoEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
