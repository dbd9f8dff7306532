/* Loaded before the C library: what is written to a path that has FAULT_PATH in it fails with FAULT_ERRNO, from call FAULT_AFTER on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static long calls;

static int fails(const char *path) {
    const char *part = getenv("FAULT_PATH"), *number = getenv("FAULT_ERRNO"), *after = getenv("FAULT_AFTER"), *gate = getenv("FAULT_GATE");
    if (!path || !part || !number || !*part || !strstr(path, part)) return 0;
    if (gate && access(gate, F_OK) != 0) return 0;
    if (__sync_add_and_fetch(&calls, 1) <= (after ? atol(after) : 0)) return 0;
    errno = atoi(number);
    return 1;
}

static int fails_at(int fd) {
    char link[64], path[4096];
    if (!getenv("FAULT_PATH")) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return path[0] == '/' && fails(path);
}

#define SOUND(type, name, ...) static type (*sound)(__VA_ARGS__); if (!sound) sound = dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    SOUND(ssize_t, write, int, const void *, size_t);
    return fails_at(fd) ? -1 : sound(fd, data, size);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
    SOUND(ssize_t, writev, int, const struct iovec *, int);
    return fails_at(fd) ? -1 : sound(fd, pieces, count);
}

int fsync(int fd) {
    SOUND(int, fsync, int);
    return fails_at(fd) ? -1 : sound(fd);
}

int rename(const char *from, const char *to) {
    SOUND(int, rename, const char *, const char *);
    return fails(to) ? -1 : sound(from, to);
}

int mkdir(const char *path, mode_t mode) {
    SOUND(int, mkdir, const char *, mode_t);
    return fails(path) ? -1 : sound(path, mode);
}

static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }

#define OPEN(name)                                                             \
    int name(const char *path, int flags, ...) {                               \
        SOUND(int, name, const char *, int, ...);                              \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        mode_t mode = mode_of(flags, rest);                                    \
        va_end(rest);                                                          \
        return (flags & O_ACCMODE) != O_RDONLY && fails(path) ? -1 : sound(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
