/** The script of the tag, as an agent serves it: the frame comes from the same agent. */
import { defineElement } from './element.ts'

defineElement(() => import.meta.url)
