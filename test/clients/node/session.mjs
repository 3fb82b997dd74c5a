// A session with a package that is installed beside this file, on the database of libpq's variables. Prints a line of JSON for each thing that it saw.
//
//   node session.mjs sequelize everything | denied | held
import { argv } from 'node:process'

const [, , name, what] = argv
const { session } = await import(`./${name}.mjs`)
await session[what]()
await session.close()
