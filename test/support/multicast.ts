// Whether this machine lets multicast loop back, as tests of multicast DNS need it.
import { createSocket } from 'node:dgram';

const LOOPBACK = '127.0.0.1';
const GROUP = '224.0.0.251';

export function loopsMulticast(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    const settle = (works: boolean) => {
      clearTimeout(timer);
      socket.close(() => resolve(works));
    };
    const timer = setTimeout(() => settle(false), 2_000);
    socket.once('error', () => settle(false));
    socket.once('message', () => settle(true));
    socket.bind(0, '0.0.0.0', () => {
      try {
        socket.addMembership(GROUP, LOOPBACK);
        socket.setMulticastInterface(LOOPBACK);
        socket.send('x', socket.address().port, GROUP);
      } catch {
        settle(false);
      }
    });
  });
}
