/* The floor: what reading Bedrock's streams costs at least. One epoll loop, no signing, no record: bytes are read, frames
 * are walked by their lengths, content events are counted and stamped.
 *
 *   floor <host> <port> <tls: 0|1> <streams> <requests a stream> <spread ms> <path> <body file>
 *
 * First line of output: nanoseconds of CPU, content events. Then a line a request:
 * request id, sent, first content, last content (CLOCK_MONOTONIC, ns), content events.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE 65536
#define FRAME_SIZE 65536
#define EVENT_NAME_AT 27 /* prelude 12, name length 1, ":event-type" 11, type 1, value length 2 */
static const char DELTA[] = "contentBlockDelta";

typedef struct {
    char id[64];
    int64_t sent, first, last;
    int events;
} Result;

typedef struct {
    int fd, head_done, line_used, left, ending, frame_used, done;
    SSL *ssl;
    int64_t start_at;
    char line[32], head[8192];
    int head_used;
    unsigned char frame[FRAME_SIZE];
    Result *results, *now;
} Stream;

static char *request;
static size_t request_size;
static int in_flight, unfinished, requests_each;

static void fail(const char *what) { perror(what); exit(1); }

static int64_t monotonic(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void open_stream(Stream *s, const char *host, int port, SSL_CTX *tls) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1;
    inet_pton(AF_INET, host, &to.sin_addr);
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(s->fd, (struct sockaddr *)&to, sizeof to)) fail("connect");
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (tls) {
        s->ssl = SSL_new(tls);
        SSL_set_fd(s->ssl, s->fd);
        if (SSL_connect(s->ssl) != 1) fail("SSL_connect");
    }
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
}

static void send_request(Stream *s) {
    s->head_done = s->line_used = s->left = s->ending = s->frame_used = s->head_used = 0;
    s->now = &s->results[s->done];
    s->now->sent = monotonic();
    ssize_t n = s->ssl ? SSL_write(s->ssl, request, request_size) : write(s->fd, request, request_size);
    if (n != (ssize_t)request_size) fail("write");
    in_flight++;
}

static void end_request(Stream *s) {
    in_flight--;
    s->done++;
    if (s->done < requests_each) send_request(s);
    else unfinished--;
}

static void walk_frames(Stream *s, int64_t now) {
    int at = 0;
    while (s->frame_used - at >= 12) {
        int total;
        memcpy(&total, s->frame + at, 4);
        total = ntohl(total);
        if (total < 16 || total > FRAME_SIZE) { fprintf(stderr, "a frame of %d bytes\n", total); exit(1); }
        if (s->frame_used - at < total) break;
        if (!memcmp(s->frame + at + EVENT_NAME_AT, DELTA, sizeof DELTA - 1)) {
            if (!s->now->events++) s->now->first = now;
            s->now->last = now;
        }
        at += total;
    }
    memmove(s->frame, s->frame + at, s->frame_used - at);
    s->frame_used -= at;
}

static int read_head(Stream *s, char **data, int *size) {
    int before = s->head_used, room = sizeof s->head - 1 - before, take = *size < room ? *size : room;
    memcpy(s->head + before, *data, take);
    s->head_used += take;
    s->head[s->head_used] = 0;
    char *end = strstr(s->head, "\r\n\r\n");
    if (!end) { *size = 0; return 0; }
    if (strncmp(s->head, "HTTP/1.1 200", 12)) { fprintf(stderr, "%s\n", s->head); exit(1); }
    int used = end + 4 - s->head - before;
    *data += used;
    *size -= used;
    char *id = strcasestr(s->head, "x-amzn-requestid:");
    if (id) sscanf(id + 17, " %63[^\r]", s->now->id);
    s->head_done = 1;
    return 1;
}

/* Chunks: a size line, so many bytes, a line end; a size of 0 and an empty line end the answer. */
static void take(Stream *s, char *data, int size, int64_t now) {
    if (!s->head_done && !read_head(s, &data, &size)) return;
    while (size > 0) {
        if (s->left > 2) {
            int n = s->left - 2 < size ? s->left - 2 : size;
            if (s->frame_used + n > FRAME_SIZE) { fprintf(stderr, "frames too large\n"); exit(1); }
            memcpy(s->frame + s->frame_used, data, n);
            s->frame_used += n;
            s->left -= n; data += n; size -= n;
            if (s->left == 2) walk_frames(s, now);
        } else if (s->left > 0) {
            s->left--; data++; size--;
            if (s->left == 0 && s->ending) { end_request(s); return; }
        } else {
            char c = *data++;
            size--;
            if (c != '\n') { if (s->line_used < 31) s->line[s->line_used++] = c; continue; }
            s->line[s->line_used] = 0;
            s->line_used = 0;
            s->left = strtol(s->line, NULL, 16) + 2;
            s->ending = s->left == 2;
        }
    }
}

static void on_readable(Stream *s) {
    static char buffer[READ_SIZE];
    for (;;) {
        int n = s->ssl ? SSL_read(s->ssl, buffer, READ_SIZE) : read(s->fd, buffer, READ_SIZE);
        if (n <= 0) {
            if (s->ssl ? SSL_get_error(s->ssl, n) == SSL_ERROR_WANT_READ : n < 0 && errno == EAGAIN) return;
            fail("read");
        }
        take(s, buffer, n, monotonic());
        if (n < READ_SIZE && !s->ssl) return;
        if (s->ssl && !SSL_pending(s->ssl)) return;
    }
}

static void build_request(const char *host, int port, const char *path, const char *file) {
    FILE *f = fopen(file, "rb");
    if (!f) fail(file);
    char *body = malloc(1 << 20);
    size_t size = fread(body, 1, 1 << 20, f);
    fclose(f);
    request = malloc(size + 4096);
    int n = sprintf(request, "POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                    path, host, port, size);
    memcpy(request + n, body, size);
    request_size = n + size;
}

int main(int argc, char **argv) {
    if (argc != 9) { fprintf(stderr, "see the head of floor.c\n"); return 2; }
    int port = atoi(argv[2]), streams = atoi(argv[4]), next = 0;
    requests_each = atoi(argv[5]);
    int64_t spread = atoll(argv[6]) * 1000000;
    build_request(argv[1], port, argv[7], argv[8]);
    SSL_CTX *tls = atoi(argv[3]) ? SSL_CTX_new(TLS_client_method()) : NULL;
    Stream *all = calloc(streams, sizeof *all);
    int poll = epoll_create1(0);
    int64_t cpu_began = cpu();
    for (int i = 0; i < streams; i++) {
        all[i].results = calloc(requests_each, sizeof(Result));
        open_stream(&all[i], argv[1], port, tls);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &e);
    }
    int64_t began = monotonic();
    for (int i = 0; i < streams; i++) all[i].start_at = began + spread * i / streams;
    unfinished = streams;
    struct epoll_event ready[256];
    while (unfinished) {
        while (next < streams && monotonic() >= all[next].start_at) send_request(&all[next++]);
        int wait = -1;
        if (next < streams) wait = (all[next].start_at - monotonic()) / 1000000 + 1;
        int n = epoll_wait(poll, ready, 256, wait < -1 ? 0 : wait);
        for (int i = 0; i < n; i++) {
            Stream *s = ready[i].data.ptr;
            on_readable(s);
        }
    }
    int64_t spent = cpu() - cpu_began;
    long events = 0;
    for (int i = 0; i < streams; i++)
        for (int k = 0; k < requests_each; k++) events += all[i].results[k].events;
    printf("%lld %ld\n", (long long)spent, events);
    for (int i = 0; i < streams; i++)
        for (int k = 0; k < requests_each; k++) {
            Result *r = &all[i].results[k];
            printf("%s %lld %lld %lld %d\n", r->id, (long long)r->sent, (long long)r->first, (long long)r->last, r->events);
        }
    return 0;
}
