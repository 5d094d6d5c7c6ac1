/** The control in each of its states, each in a frame of the size that it asks for: to be looked at, and to be tested. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { bundled } from '../../../scripts/browser/entry-page.ts'
import { HTML, servePage } from '../../../scripts/browser/page-server.ts'
import { ensureWeb, WEB_FOLDER } from '../../../scripts/web/build.ts'
import { STATES } from './gallery-states.ts'
import { ACCEPT, MESH, REASON } from './hosts.ts'

export interface Gallery {
  /** `/` has all states; with `?rtl` in a document that is read from the right. `?few`: those for a picture of it. */
  url: string
  /** Of the document with one state alone, as a page of its own. */
  alone(state: string): string
  close(): void
}

const BEFORE = ['window', 'window, pressed too soon', 'asked', 'not now', 'starting']

const panelStyle = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../panel.css')],
    ...{ bundle: true, write: false, logLevel: 'error' },
  })
  return (outputFiles[0] as { text: string }).text
}

/** The frame's document as it is served, but with another script, which no policy forbids. */
const documentOf = async (frame: string): Promise<string> => {
  const [script, style] = await Promise.all([bundled(new URL('./gallery-page.ts', import.meta.url)), panelStyle()])
  return readFileSync(join(WEB_FOLDER, frame), 'utf8')
    .replace(/<script type="module">.*<\/script>/s, () => `<script type="module">${script.body}</script>`)
    .replace('</style>', () => `${style}</style>`)
}

const STYLE = `
  body { margin: 16px 8px; font: 13px/1.4 system-ui, sans-serif; background: light-dark(#eef1f4, #0d1014); color: light-dark(#333, #ccc); color-scheme: light dark }
  main { columns: 380px; column-gap: 24px }
  figure { margin: 0 0 20px; break-inside: avoid }
  figcaption { margin-bottom: 6px }
  .few main { columns: auto; display: grid; grid-template: "question panel" auto "lending panel" 1fr / 416px 304px; gap: 20px 32px; width: max-content; margin: 24px auto 8px }
  .few figure { margin: 0 }
  .few figcaption { display: none }
  .few figure:last-child { grid-area: panel }
  iframe { display: block; border: 0; max-width: 100%; color-scheme: light dark }`

/** As the element does it, but that nothing is docked. */
const SCRIPT = `
  addEventListener('message', ({ source, data }) => {
    const [width, height, docked] = data.wayside ?? []
    for (const frame of document.querySelectorAll('iframe'))
      if (frame.contentWindow === source) frame.style.cssText = 'height:' + height + 'px;width:' + (docked ? width + 'px' : '416px')
  })`

/** As the frame opens it. */
const [WINDOW_WIDTH, WINDOW_HEIGHT] = [440, 320]

const figure = (name: string, src: string) =>
  `<figure><figcaption>${name}</figcaption><iframe title="${name}" height="${name.startsWith('window') ? WINDOW_HEIGHT : 0}" width="${WINDOW_WIDTH}" src="${src}"></iframe></figure>`

export const serveGallery = async (): Promise<Gallery> => {
  const { frame, pins, files } = await ensureWeb()
  const document = { type: HTML, body: await documentOf(frame) }
  const names = [...BEFORE, ...Object.keys(STATES)]
  const pathOf = (name: string) => `/state?${encodeURIComponent(name)}`
  const host = await servePage({
    ...Object.fromEntries(names.map((name) => [pathOf(name), document])),
    [`/${frame}`]: { type: HTML, body: readFileSync(join(WEB_FOLDER, frame)), headers: files[frame]?.headers ?? {} },
  })
  const asked = (more: Record<string, string>) =>
    `${host.url}/${frame}#${new URLSearchParams({ mesh: MESH, accept: ACCEPT, reason: REASON, pins, ...more })}`
  const figures = [
    figure('question', asked({})),
    figure('question, in another script', asked({ reason: 'يساعد في رسم خريطتنا المفتوحة' })),
    figure('refused', asked({ mesh: 'none' })),
    ...names.map((name) => figure(name, host.url + pathOf(name))),
  ]
  const page = (attributes: string, shown: string[]) => ({
    type: HTML,
    body: `<!doctype html><html lang="en"${attributes}><meta name="viewport" content="width=device-width"><title>Gallery</title><link rel="icon" href="data:,"><style>${STYLE}</style><script>${SCRIPT}</script><main>${shown.join('')}</main>`,
  })
  const few = ['lending', 'panel'].map((name) => figure(name, host.url + pathOf(name)))
  const site = await servePage({
    '/': page('', figures),
    '/?rtl': page(' dir="rtl"', figures),
    '/?few': page(' class="few"', [figure('question', asked({ reason: REASON })), ...few]),
  })
  const close = () => {
    host.close()
    site.close()
  }
  return { url: `${site.url}/`, alone: (state) => `${host.url}${pathOf(state)}#alone`, close }
}
