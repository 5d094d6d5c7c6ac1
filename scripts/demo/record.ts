/** What the demo has seen: counted as it happens, and summed up at the end. */
import { TILES } from '../../examples/raytracer/plan.ts'
import type { BackendDispute } from '../../sdk/backend.ts'
import type { DemoAgent } from './agents.ts'
import type { RenderedTile } from './render.ts'

export interface Caught {
  peer: string
  pid: number
  times: number
  /** Its first that differs, and the one for the answer: signed envelopes, base64 of their DAG-CBOR. */
  receipts: [wrong: string, right: string]
  /** The file by which anyone can check the first, as a path from the checkout. */
  proof?: string
}

export interface Summary {
  tiles_by_peer: Record<string, number>
  executions_per_result: number
  liars: Caught[]
  killed_pids: number[]
  tiles_recovered: number
  first_picture_ms: number
  total_ms: number
  native_ms: number
  differing_pixels: number
  identical: boolean
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

export class DemoRecord {
  /** By the name of their file. */
  readonly proofs = new Map<string, Uint8Array>()
  readonly tilesByPeer = new Map<string, number>()
  readonly caught = new Map<string, Caught>()
  readonly killedPids: number[] = []
  tiles = 0
  executions = 0
  recovered = 0

  /** Everything that one tile's result says. Returns those who differ for the first time. */
  add({ result }: RenderedTile, agentOf: (peer: string) => DemoAgent | undefined): Caught[] {
    const [executor = ''] = result.executors
    this.tiles++
    this.executions += result.executions
    this.recovered += result.recovered
    this.tilesByPeer.set(executor, (this.tilesByPeer.get(executor) ?? 0) + 1)
    return result.disputes.flatMap((dispute) => this.#dispute(dispute, agentOf) ?? [])
  }

  get done(): boolean {
    return this.tiles === TILES.length
  }

  get executionsPerResult(): number {
    return Math.round((100 * this.executions) / Math.max(1, this.tiles)) / 100
  }

  #dispute(
    { liar, wrong, right, proof }: BackendDispute,
    agentOf: (peer: string) => DemoAgent | undefined,
  ): Caught | undefined {
    const known = this.caught.get(liar)
    if (known) {
      known.times++
      return undefined
    }
    const caught: Caught = {
      peer: liar,
      pid: agentOf(liar)?.pid ?? 0,
      times: 1,
      receipts: [base64(wrong), base64(right)],
      ...(proof && { proof: this.#keep(proof) }),
    }
    this.caught.set(liar, caught)
    return caught
  }

  #keep(proof: Uint8Array): string {
    const name = `proof-${this.proofs.size + 1}.cbor`
    this.proofs.set(name, proof)
    return `demo-out/${name}`
  }
}
