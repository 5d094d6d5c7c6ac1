/** `npm run demo:browser`: a page on which a picture appears, computed by agents and by whoever opens the page and agrees. */
import { parseArgs } from 'node:util'
import { phoneWords } from '../../node/cli/phone-words.ts'
import { MeshError } from '../../protocol/errors.ts'
import { startDemo } from './demo.ts'
import { RAYS } from './picture.ts'

const AGENTS = 2
const PORT = 8780
/** Long enough to see who did what, short enough that nobody who comes finds it done. */
const REST_MS = 8000
const COLUMNS_DEFAULT = 80

const { values } = parseArgs({
  options: { phone: { type: 'boolean', default: false }, agents: { type: 'string' }, port: { type: 'string' } },
})

const interrupted = new Promise<void>((resolve) => {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => resolve())
})

try {
  console.log('starting a home and its agents …')
  const demo = await startDemo({
    agents: Number(values.agents ?? AGENTS),
    port: Number(values.port ?? PORT),
    phone: values.phone,
    rays: RAYS,
    restMs: REST_MS,
  })
  console.log(`\n  open ${demo.url} in a browser, or in several: whoever agrees there helps to paint\n`)
  if (demo.phone !== null) {
    const { web } = await demo.mesh.home.status()
    console.log(phoneWords(demo.phone, web, process.stdout.columns ?? COLUMNS_DEFAULT))
  }
  console.log('  Ctrl-C ends it')
  await Promise.race([interrupted, demo.over])
  await demo.stop()
} catch (cause) {
  console.error('the demo failed:', cause instanceof MeshError ? `${cause.code}: ${cause.message}` : cause)
  process.exitCode = 1
}
