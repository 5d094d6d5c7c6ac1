/**
 * `npm run gallery`: the control in each of its states, to be looked at in a browser.
 * `npm run gallery -- FOLDER`: the same as pictures, as it looks to different people.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startBrowser } from '../../../scripts/browser/launch.ts'
import { type Look, lookAs, pictureOf } from '../../../scripts/browser/look-as.ts'
import { type Gallery, serveGallery } from './gallery.ts'
import { openStates } from './gallery-frames.ts'

const LOOKS: Record<string, Look & { path?: string }> = {
  'desktop-light': {},
  'desktop-dark': { scheme: 'dark' },
  'phone-320': { width: 320, touch: true },
  'phone-390-dark': { width: 390, touch: true, scheme: 'dark' },
  'right-to-left': { path: '?rtl' },
  'forced-colors': { forcedColors: true },
  'reduced-motion': { reducedMotion: true },
  // docs/control.webp
  control: { width: 820, path: '?few' },
}
/** All states have room in it. */
const HEIGHT = 8000

const takePictures = async (gallery: Gallery, folder: string): Promise<void> => {
  mkdirSync(folder, { recursive: true })
  const browser = await startBrowser('chromium')
  for (const [name, { path = '', ...look }] of Object.entries(LOOKS)) {
    const page = await browser.open('about:blank')
    await lookAs(page, { ...look, height: HEIGHT })
    await openStates(page, gallery, path)
    writeFileSync(join(folder, `${name}.webp`), await pictureOf(page))
    await page.close()
  }
  await browser.close()
}

const gallery = await serveGallery()
const [folder] = process.argv.slice(2)
if (folder === undefined) console.log(`open ${gallery.url} in a browser; Ctrl-C ends it`)
else {
  await takePictures(gallery, folder)
  gallery.close()
}
