export { callIn } from '../../scripts/browser/in-page.ts'
