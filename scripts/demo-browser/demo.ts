/** The demo page with all that is behind it. */
import { ensureWeb } from '../web/build.ts'
import { DemoMesh } from './mesh.ts'
import { serveDemo } from './server.ts'
import { bundlePart, Show, type ShowOptions } from './show.ts'

export interface DemoOptions extends ShowOptions {
  agents: number
  /** Of the page; 0: any. */
  port: number
  phone: boolean
}

export interface RunningDemo {
  readonly url: string
  readonly show: Show
  readonly mesh: DemoMesh
  /** What a phone opens, where that was asked for. */
  readonly phone: string | null
  /** Rejects if the show cannot go on. */
  readonly over: Promise<void>
  stop(): Promise<void>
}

export const startDemo = async ({ agents, port, phone, ...options }: DemoOptions): Promise<RunningDemo> => {
  await ensureWeb()
  const mesh = new DemoMesh()
  const bundled = bundlePart()
  try {
    await mesh.start(agents, phone)
    const show = new Show(mesh, bundled, options)
    const server = await serveDemo(show, await mesh.tag(), port)
    const ending = new AbortController()
    const over = show.run(ending.signal)
    const stop = async () => {
      ending.abort()
      server.close()
      await over.catch(() => {})
      await mesh.stop()
    }
    return { url: server.url, show, mesh, phone: await mesh.phoneUrl(), over, stop }
  } catch (cause) {
    await Promise.allSettled([bundled, mesh.stop()])
    throw cause
  }
}
