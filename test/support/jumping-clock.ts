/**
 * Loaded into a process before anything else: its wall clock jumps by JUMP_MS milliseconds when it gets SIGUSR2, as when somebody sets the clock of a machine. What
 * is monotonic goes on as it does then: timers, and `performance.now()`.
 */
const machine = Date
let jumped = 0

globalThis.Date = new Proxy(machine, {
  construct: (target, args: [], newTarget) =>
    Reflect.construct(
      target,
      args.length === 0 ? [target.now() + jumped] : args,
      newTarget,
    ) as Date,
  get: (target, property) =>
    property === 'now' ? () => target.now() + jumped : (Reflect.get(target, property) as unknown),
})

process.on('SIGUSR2', () => {
  jumped += Number(process.env['JUMP_MS'])
  process.stdout.write(`the clock says ${new Date().toISOString()}\n`)
})
