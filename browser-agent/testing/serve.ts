export { serveEntry } from '../../scripts/browser/entry-page.ts'
