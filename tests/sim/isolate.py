# SPDX-License-Identifier: Apache-2.0
"""Links the daemon's code into one object whose calls of the system go to the simulation.

    isolate.py OUT CC NM OBJCOPY OBJECT_OR_ARCHIVE...

The code that main() needs is taken from the archives (an object before them replaces theirs).  Each function
in RENAMED that it calls becomes sim_NAME, main() becomes daemon_main(); all other symbols become
local, so that the simulation can link the same libraries for itself.
"""

import pathlib
import subprocess
import sys

RENAMED = """
    malloc calloc realloc free strdup strndup asprintf vasprintf mallopt
    pthread_create pthread_join pthread_mutex_init pthread_mutex_destroy pthread_mutex_lock pthread_mutex_unlock
    pthread_cond_init pthread_cond_destroy pthread_cond_wait pthread_cond_timedwait pthread_cond_signal
    pthread_cond_broadcast pthread_condattr_init pthread_condattr_setclock pthread_condattr_destroy
    open64 openat64 close read write writev pread64 pwritev64 fdatasync fsync ftruncate64 fstat64 fstatfs64 fstatvfs64 flock
    mkdir mkdirat unlink unlinkat renameat access opendir fdopendir readdir64 closedir dirfd
    socketpair pipe2 setsockopt recv send eventfd eventfd_read eventfd_write timerfd_create timerfd_settime poll
    clock_gettime adjtimex getentropy getrandom sd_notify sd_notifyf sd_watchdog_enabled sigprocmask signal kill waitpid
    isatty event_loop_open endpoint_open endpoint_look endpoint_close endpoint_error
    key_file_read key_file_decode remote_open remote_look remote_close
    access_open access_close access_set_keys access_place access_look access_refusals access_admits
    posix_spawn posix_spawn_file_actions_init posix_spawn_file_actions_destroy posix_spawn_file_actions_addopen
    posix_spawn_file_actions_adddup2 posix_spawn_file_actions_addclosefrom_np
    zmq_ctx_new zmq_ctx_term zmq_socket zmq_close zmq_setsockopt zmq_getsockopt zmq_poll zmq_send zmq_errno
    zmq_msg_init zmq_msg_init_size zmq_msg_init_data zmq_msg_close zmq_msg_copy zmq_msg_move zmq_msg_data
    zmq_msg_size zmq_msg_more zmq_msg_gets zmq_msg_recv zmq_msg_send
""".split()

# Functions that the simulation would have to define first; prefixes too.
UNKNOWN = ('zmq_', 'sd_', 'pthread_rw', 'pthread_mutex_', 'pthread_cond_', 'pthread_detach', 'sem_', 'epoll_', 'inotify_',
           'timerfd_', 'stat', 'lstat', 'fopen', 'open', 'creat', 'rename', 'link', 'symlink', 'rmdir', 'pread', 'pwrite',
           'readv', 'writev', 'sync', 'fallocate', 'posix_fallocate', 'mmap', 'socket', 'connect', 'bind', 'accept', 'fork',
           'exec', 'system', 'sleep', 'usleep', 'nanosleep', 'clock_nanosleep', 'time', 'gettimeofday', 'select', 'ppoll',
           'reallocarray', 'posix_memalign', 'aligned_alloc', 'getline', 'wait', 'random', 'rand')
EXACT = {'stat', 'lstat', 'open', 'bind', 'accept', 'time', 'wait', 'rand', 'random', 'socket', 'select', 'system', 'sync'}
KNOWN = {'open_memstream', 'strerror'}  # memory of a killed daemon that is not given back is small


def is_unknown(name):
    plain = name.removesuffix('64')
    return name not in KNOWN and any(plain == u if u in EXACT else plain.startswith(u) for u in UNKNOWN)


def main(out, cc, nm, objcopy, *inputs):
    linked = out + '.linked'
    subprocess.run([*cc.split(), '-r', '-nostdlib', '-o', linked, '-Wl,-u,main',
                    '-Wl,--start-group', *inputs, '-Wl,--end-group'], check=True)
    lines = subprocess.run([nm, '-u', linked], check=True, capture_output=True, text=True).stdout.splitlines()
    undefined = {line.split()[-1] for line in lines if line.split()}
    unknown = sorted(n for n in undefined - set(RENAMED) if is_unknown(n))
    if unknown:
        sys.exit(f'tests/sim does not know how to simulate: {", ".join(unknown)}')
    names = pathlib.Path(out + '.names')
    names.write_text(''.join(f'{n} sim_{n}\n' for n in sorted(undefined & set(RENAMED))))
    subprocess.run([objcopy, f'--redefine-syms={names}', '--redefine-sym=main=daemon_main', '--keep-global-symbol=daemon_main', linked, out], check=True)


main(*sys.argv[1:])
