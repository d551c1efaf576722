// SPDX-License-Identifier: Apache-2.0
//
// A load program for anything that speaks Kafka's protocol, on librdkafka:
//
//     kload produce|consume|sync|rate --topic TOPIC [--brokers HOST:PORT] [options]
//
// It does one thing once and prints one line of JSON: records, seconds, rates, the processor time
// of this process, latencies where they mean something. What is measured begins when the
// connection stands and the topic's leader is known. Each record begins with its number, eight
// bytes little-endian, so that a reader can tell whether one is missing or in the wrong place.

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

// A batch is taken as it is after so many milliseconds, full or not: the last one is not full.
enum { CONFIG_MAX = 64, SIZE_MIN = 8, POLL_BATCH = 4096, POLL_WAIT = 10 };

static struct {
    const char *mode, *brokers, *topic, *codec, *acks, *linger;
    const char *config[CONFIG_MAX];
    int config_count;
    int64_t records;
    size_t size;
    double rate;
    int timeout;
    bool idempotent, check;
} options = {.topic = "kload", .codec = "none", .acks = "all", .records = 1000000, .size = 100,
             .rate = 1000, .timeout = 120};

// Written by whichever thread serves delivery reports, read by the one that produces.
static _Atomic int64_t acknowledged, failed;
static double *latencies;  // Of each record by its number, in seconds; NULL where not asked for.
static double *scheduled;  // When each record was due.

static void die(const char *what, const char *why) {
    fprintf(stderr, "kload: %s: %s\n", what, why);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void set(rd_kafka_conf_t *config, const char *name, const char *value) {
    char why[256];
    if (rd_kafka_conf_set(config, name, value, why, sizeof why) != RD_KAFKA_CONF_OK)
        die(name, why);
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client, (void)opaque;
    if (message->err) {
        if (atomic_fetch_add(&failed, 1) == 0)
            fprintf(stderr, "kload: not delivered: %s\n", rd_kafka_err2str(message->err));
    } else if (latencies) {
        intptr_t number = (intptr_t)message->_private;
        latencies[number] = now() - scheduled[number];
    }
    atomic_fetch_add(&acknowledged, 1);
}

static rd_kafka_t *connect_as(rd_kafka_type_t type) {
    rd_kafka_conf_t *config = rd_kafka_conf_new();
    if (options.brokers)
        set(config, "bootstrap.servers", options.brokers);
    if (type == RD_KAFKA_PRODUCER) {
        bool one_by_one = strcmp(options.mode, "produce") != 0;
        set(config, "linger.ms", options.linger ? options.linger : one_by_one ? "0" : "5");
        set(config, "batch.size", "1000000");
        set(config, "batch.num.messages", "1000000");
        set(config, "queue.buffering.max.messages", "1000000");
        set(config, "queue.buffering.max.kbytes", "262144");
        set(config, "acks", options.acks);
        set(config, "compression.codec", options.codec);
        set(config, "enable.idempotence", options.idempotent ? "true" : "false");
        // Where single records are timed, the kernel must not hold them back to join them.
        set(config, "socket.nagle.disable", one_by_one ? "true" : "false");
        rd_kafka_conf_set_dr_msg_cb(config, on_delivery);
    } else {
        set(config, "group.id", "kload");
        set(config, "enable.auto.commit", "false");
        set(config, "enable.partition.eof", "true");
        set(config, "auto.offset.reset", "error");
        // More than any answer holds: with the default the client pauses for a second whenever
        // 100,000 records wait to be taken.
        set(config, "queued.min.messages", "1000000");
    }
    for (int index = 0; index < options.config_count; index++) {
        char *pair = strdup(options.config[index]);
        char *equals = pair ? strchr(pair, '=') : NULL;
        if (!equals)
            die("-X needs NAME=VALUE", options.config[index]);
        *equals = 0;
        set(config, pair, equals + 1);
        free(pair);
    }
    char why[256];
    rd_kafka_t *client = rd_kafka_new(type, config, why, sizeof why);
    if (!client)
        die("no client", why);
    return client;
}

// Waits for the topic's leader, so that looking for it is no part of what is measured.
static void find_leader(rd_kafka_t *client, rd_kafka_topic_t *topic) {
    double end = now() + options.timeout;
    for (;;) {
        const struct rd_kafka_metadata *metadata;
        rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, topic, &metadata, 5000);
        bool found = false;
        if (!error) {
            found = metadata->topic_cnt == 1 && metadata->topics[0].partition_cnt > 0 &&
                    metadata->topics[0].partitions[0].leader >= 0;
            rd_kafka_metadata_destroy(metadata);
        }
        if (found)
            return;
        if (now() > end)
            die("no leader", error ? rd_kafka_err2str(error) : "the topic has none");
        rd_kafka_poll(client, 20);
    }
}

// A payload that compresses about as well as text does: random letters of a small alphabet.
static char *make_payload(void) {
    char *payload = malloc(options.size);
    if (!payload)
        die("no memory", strerror(errno));
    uint64_t state = 88172645463325252u;
    for (size_t index = 0; index < options.size; index++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        payload[index] = "etaoinshrdlucmfw"[state >> 60];
    }
    return payload;
}

static void send_record(rd_kafka_t *client, rd_kafka_topic_t *topic, char *payload,
                        int64_t number) {
    memcpy(payload, &number, sizeof number);
    while (rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, payload, options.size, NULL, 0,
                            (void *)(intptr_t)number) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            die("cannot produce", rd_kafka_err2str(rd_kafka_last_error()));
        rd_kafka_poll(client, 10);
    }
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double quantile(double part) {
    int64_t index = (int64_t)ceil(part * (double)options.records) - 1;
    return latencies[index < 0 ? 0 : index] * 1e6;
}

static void report(int64_t records, double seconds, double cpu, const char *more) {
    printf("{\"mode\": \"%s\", \"records\": %" PRId64 ", \"size\": %zu, \"seconds\": %.6f, "
           "\"records_per_second\": %.0f, \"megabytes_per_second\": %.2f, "
           "\"client_cpu_seconds\": %.3f%s}\n",
           options.mode, records, options.size, seconds, (double)records / seconds,
           (double)records * (double)options.size / seconds / 1e6, cpu, more);
}

static void report_latencies(double seconds, double cpu) {
    qsort(latencies, (size_t)options.records, sizeof *latencies, compare);
    char more[256];
    snprintf(more, sizeof more,
             ", \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f",
             quantile(0.5), quantile(0.99), quantile(0.999), quantile(1));
    report(options.records, seconds, cpu, more);
}

static void wait_for_all(rd_kafka_t *client, int64_t count, bool polls) {
    double end = now() + options.timeout;
    while (atomic_load(&acknowledged) < count) {
        if (polls)
            rd_kafka_poll(client, 100);
        else
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        if (now() > end)
            die("not all were acknowledged", "the time is over");
    }
    if (atomic_load(&failed) > 0)
        die("records failed", "see above");
}

static void run_produce(rd_kafka_t *client, rd_kafka_topic_t *topic) {
    char *payload = make_payload();
    double cpu = cpu_seconds(), start = now();
    for (int64_t number = 0; number < options.records; number++) {
        send_record(client, topic, payload, number);
        if (number % 1024 == 0)
            rd_kafka_poll(client, 0);
    }
    wait_for_all(client, options.records, true);
    report(options.records, now() - start, cpu_seconds() - cpu, "");
    free(payload);
}

static void make_latencies(void) {
    latencies = calloc((size_t)options.records, sizeof *latencies);
    scheduled = calloc((size_t)options.records, sizeof *scheduled);
    if (!latencies || !scheduled)
        die("no memory", strerror(errno));
}

// One record at a time: the next is sent when the last is acknowledged.
static void run_sync(rd_kafka_t *client, rd_kafka_topic_t *topic) {
    char *payload = make_payload();
    make_latencies();
    double cpu = cpu_seconds(), start = now();
    for (int64_t number = 0; number < options.records; number++) {
        scheduled[number] = now();
        send_record(client, topic, payload, number);
        wait_for_all(client, number + 1, true);
    }
    double seconds = now() - start;
    report_latencies(seconds, cpu_seconds() - cpu);
    free(payload);
}

static _Atomic bool is_polling = true;

static void *poll_reports(void *client) {
    while (atomic_load(&is_polling))
        rd_kafka_poll(client, 10);
    return NULL;
}

// So many records a second, whatever the answers do. A record's latency counts from when it was
// due: a server that stalls pays for all that were due in the meantime.
static void run_rate(rd_kafka_t *client, rd_kafka_topic_t *topic) {
    char *payload = make_payload();
    make_latencies();
    pthread_t poller;
    if (pthread_create(&poller, NULL, poll_reports, client) != 0)
        die("no thread", strerror(errno));
    double cpu = cpu_seconds(), start = now();
    for (int64_t number = 0; number < options.records; number++) {
        double due = start + (double)number / options.rate;
        scheduled[number] = due;
        struct timespec time = {.tv_sec = (time_t)due,
                                .tv_nsec = (long)((due - floor(due)) * 1e9)};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {
        }
        send_record(client, topic, payload, number);
    }
    wait_for_all(client, options.records, false);
    double seconds = now() - start;
    atomic_store(&is_polling, false);
    pthread_join(poller, NULL);
    report_latencies(seconds, cpu_seconds() - cpu);
    free(payload);
}

// Whether a record follows the one before: its number is the next, or a producer began anew.
static bool follows(const rd_kafka_message_t *message, int64_t *expected) {
    int64_t number = -1;
    if (message->len >= sizeof number)
        memcpy(&number, message->payload, sizeof number);
    bool is_next = *expected < 0 || number == *expected || number == 0;
    *expected = number + 1;
    return is_next;
}

// Everything from the first offset to the end, or the number of records asked for.
static void run_consume(rd_kafka_t *client) {
    rd_kafka_poll_set_consumer(client);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, options.topic, NULL);
    find_leader(client, topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
    static rd_kafka_message_t *messages[POLL_BATCH];
    int64_t count = 0, bytes = 0, misplaced = 0, expected = -1;
    double first = 0, last = 0;
    bool is_done = false;
    double cpu = cpu_seconds(), start = now(), end = start + options.timeout;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, options.topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t error = rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (error)
        die("cannot read", rd_kafka_err2str(error));
    while (!is_done) {
        ssize_t taken = rd_kafka_consume_batch_queue(queue, POLL_WAIT, messages, POLL_BATCH);
        if (taken < 0)
            die("cannot read", rd_kafka_err2str(rd_kafka_last_error()));
        if (taken > 0 && first == 0)
            first = now();
        int64_t before = count;
        for (ssize_t index = 0; index < taken; index++) {
            rd_kafka_message_t *message = messages[index];
            if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                is_done = true;
            } else if (message->err) {
                die("cannot read", rd_kafka_message_errstr(message));
            } else if (count < options.records) {
                count++;
                bytes += (int64_t)message->len;
                if (options.check && !follows(message, &expected))
                    misplaced++;
            }
            rd_kafka_message_destroy(message);
        }
        if (count > before)
            last = now();
        is_done = is_done || count >= options.records;
        if (now() > end)
            die("not all was read", "the time is over");
    }
    double used = cpu_seconds() - cpu;
    if (count > 0)
        options.size = (size_t)(bytes / count);
    char more[160];
    snprintf(more, sizeof more, ", \"steady_records_per_second\": %.0f, \"misplaced\": %" PRId64,
             last > first ? (double)count / (last - first) : 0, misplaced);
    report(count, last - start, used, more);
    rd_kafka_topic_destroy(topic);
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(client);
    if (misplaced > 0)
        exit(1);
}

static _Noreturn void usage(int status) {
    fprintf(status ? stderr : stdout,
            "usage: kload produce|consume|sync|rate [options]\n"
            "  --brokers HOST:PORT   where to connect\n"
            "  --topic NAME          partition 0 of it (default: kload)\n"
            "  --records N           how many, or at most how many (default: 1000000)\n"
            "  --size BYTES          of a record's value, 8 or more (default: 100)\n"
            "  --rate N              records a second of `rate` (default: 1000)\n"
            "  --codec NAME          none, gzip, snappy, lz4, zstd (default: none)\n"
            "  --acks all|1|0        (default: all)\n"
            "  --linger MS           (default: 5 to produce, 0 for sync and rate)\n"
            "  --idempotent          let the server drop what is sent twice\n"
            "  --check               consume: say whether records are in their places\n"
            "  --timeout SECONDS     (default: 120)\n"
            "  -X NAME=VALUE         any setting of librdkafka; test.mock.num.brokers=1 needs no\n"
            "                        server and shows what the client itself can do\n");
    exit(status);
}

static int64_t whole(const char *text, int64_t least) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || end == text || value < least)
        die("not a number, or too small", text);
    return value;
}

static void read_options(int count, char **arguments) {
    enum { BROKERS = 256, TOPIC, RECORDS, SIZE, RATE, CODEC, ACKS, LINGER, IDEMPOTENT, CHECK,
           TIMEOUT, HELP };
    static const struct option names[] = {
        {"brokers", 1, 0, BROKERS}, {"topic", 1, 0, TOPIC},   {"records", 1, 0, RECORDS},
        {"size", 1, 0, SIZE},       {"rate", 1, 0, RATE},     {"codec", 1, 0, CODEC},
        {"acks", 1, 0, ACKS},       {"linger", 1, 0, LINGER}, {"idempotent", 0, 0, IDEMPOTENT},
        {"check", 0, 0, CHECK},     {"timeout", 1, 0, TIMEOUT}, {"help", 0, 0, HELP}, {0}};
    int option;
    while ((option = getopt_long(count, arguments, "X:", names, NULL)) != -1) {
        switch (option) {
        case BROKERS: options.brokers = optarg; break;
        case TOPIC: options.topic = optarg; break;
        case RECORDS: options.records = whole(optarg, 1); break;
        case SIZE: options.size = (size_t)whole(optarg, SIZE_MIN); break;
        case RATE: options.rate = (double)whole(optarg, 1); break;
        case CODEC: options.codec = optarg; break;
        case ACKS: options.acks = optarg; break;
        case LINGER: options.linger = optarg; break;
        case IDEMPOTENT: options.idempotent = true; break;
        case CHECK: options.check = true; break;
        case TIMEOUT: options.timeout = (int)whole(optarg, 1); break;
        case 'X':
            if (options.config_count == CONFIG_MAX)
                die("too many settings", optarg);
            options.config[options.config_count++] = optarg;
            break;
        case HELP: usage(0);
        default: usage(2);
        }
    }
    if (optind != count - 1)
        usage(2);
    options.mode = arguments[optind];
}

int main(int count, char **arguments) {
    read_options(count, arguments);
    if (strcmp(options.mode, "consume") == 0) {
        rd_kafka_t *client = connect_as(RD_KAFKA_CONSUMER);
        run_consume(client);
        rd_kafka_destroy(client);
        return 0;
    }
    void (*run)(rd_kafka_t *, rd_kafka_topic_t *) =
        strcmp(options.mode, "produce") == 0 ? run_produce
        : strcmp(options.mode, "sync") == 0  ? run_sync
        : strcmp(options.mode, "rate") == 0  ? run_rate
                                             : NULL;
    if (!run)
        usage(2);
    rd_kafka_t *client = connect_as(RD_KAFKA_PRODUCER);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, options.topic, NULL);
    if (!topic)
        die("no topic", rd_kafka_err2str(rd_kafka_last_error()));
    find_leader(client, topic);
    run(client, topic);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(client);
    return 0;
}
