/**
 * For a test in a network of its own: a page in Firefox that lends to the mesh of a ticket until the process is ended.
 * Arguments: the ticket, and a pattern of the addresses by which it joins. Prints the page's PeerId once it has joined.
 */
import { serveEntry } from '../../scripts/browser/entry-page.ts'
import { callIn } from '../../scripts/browser/in-page.ts'
import { startBrowser } from '../../scripts/browser/launch.ts'

const [ticket, kinds] = process.argv.slice(2)
const { url } = await serveEntry(new URL('./peer-page.ts', import.meta.url))
const browser = await startBrowser('firefox')
const page = await browser.open(url)
console.log(await callIn(page, 'lending.start', ticket, kinds))
