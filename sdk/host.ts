/** What a host hands to the SDK: its ports, the way to its agent, and its bundler. */
import type { Ports } from '../protocol/ports.ts'
import type { Backend } from './backend.ts'
import type { SourceBundle } from './function-bundle.ts'

/** A function's source as the host bundled it. */
export interface BundledSource {
  bundle: SourceBundle
  /** What the author should know though it bundled, one line each. */
  warnings: readonly string[]
  /** Paths of what it was made of, and of the files that say how: when one of them changes, so may the bundle. */
  files: readonly string[]
  /** Text of a guest with the frames of its stacks led back to the sources. */
  readStack(text: string): string
}

export interface SdkHost {
  /** The agent of this machine, found by its data directory; undefined if none answers there. */
  agent(data: string | undefined): Promise<Backend | undefined>
  /** Calls as the member that this machine is, while its agent does not run; undefined if nobody of its mesh is found. */
  member(data: string | undefined): Promise<Backend | undefined>
  /**
   * Ports for a peer of this program alone. It dials others, unless it is to be `alone`. It has no past (a fresh key, nothing
   * on disk), but in a page, where nothing else keeps one.
   */
  ports(options: { alone: boolean }): Promise<Ports>
  /** Executions at once on this machine, when it executes alone. */
  sandboxes: number
  /** Engine IDs of the sandbox that these ports run. */
  engines: readonly string[]
  /** Throws MeshError E_BUNDLE, E_FUNCTION_SYNTAX or E_CONFIG. */
  bundle(source: string | URL): Promise<BundledSource>
}
