// Members runs Kafka's own consumers in groups of a broker, args[0] (host:port), and ends with status 0 if every step
// came about in time and every record was seen.

import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.*;

public class Members {
    static String broker;
    static Admin admin;
    static KafkaProducer<String, String> producer;
    static int produced;
    static final ConcurrentHashMap<String, AtomicInteger> seen = new ConcurrentHashMap<>();

    /** One consumer on its thread. */
    static class Member extends Thread {
        final Properties config = new Properties();
        final String topic;
        final String regex;
        volatile boolean stop;
        volatile int has;

        Member(String group, String topic, String regex, String... more) {
            this.topic = topic;
            this.regex = regex;
            config.putAll(Map.of("bootstrap.servers", broker, "group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", "false"));
            for (int i = 0; i < more.length; i += 2) config.put(more[i], more[i + 1]);
            start();
        }

        public void run() {
            try (KafkaConsumer<String, String> c = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
                if (regex != null) c.subscribe(new SubscriptionPattern(regex)); else c.subscribe(List.of(topic));
                while (!stop) {
                    for (var r : c.poll(Duration.ofMillis(100))) seen.computeIfAbsent(r.value(), k -> new AtomicInteger()).incrementAndGet();
                    has = c.assignment().size();
                    try { c.commitSync(); } catch (RebalanceInProgressException e) { /* the next one takes them along */ }
                }
            } catch (Exception e) {
                e.printStackTrace();
                System.exit(1);
            }
        }

        void leave() throws Exception { stop = true; join(); has = 0; }
    }

    static void await(String what, Callable<Boolean> holds) throws Exception {
        long start = System.currentTimeMillis();
        while (!holds.call()) {
            if (System.currentTimeMillis() - start > 40_000) {
                System.out.println("not in 40 s: " + what);
                System.exit(1);
            }
            Thread.sleep(50);
        }
        System.out.println(what + " after " + (System.currentTimeMillis() - start) + " ms");
    }

    static void each(String what, int share, Member... members) throws Exception {
        await(what + ", each " + share, () -> Arrays.stream(members).allMatch(m -> m.has == share));
    }

    static void produce(String topic) throws Exception {
        for (int i = 0; i < 3000; i++, produced++) producer.send(new ProducerRecord<>(topic, "" + produced, "v" + produced));
        producer.flush();
        await("all of " + produced + " records seen", () -> seen.size() == produced);
    }

    static GroupType type(String group) throws Exception {
        for (var g : admin.listGroups().all().get()) if (g.groupId().equals(group)) return g.type().orElse(GroupType.UNKNOWN);
        return GroupType.UNKNOWN;
    }

    static void newProtocol() throws Exception {
        admin.createTopics(List.of(new NewTopic("new-t", 6, (short) 1))).all().get();
        String[] consumer = {"group.protocol", "consumer"};
        Member a = new Member("new", "new-t", null, consumer);
        each("one", 6, a);
        Member b = new Member("new", "new-t", null, consumer);
        each("two", 3, a, b);
        Member c = new Member("new", null, "new-.*", "group.protocol", "consumer", "group.instance.id", "static");
        each("three, one static with a regular expression", 2, a, b, c);
        produce("new-t");
        b.leave();
        each("one has left", 3, a, c);
        admin.createPartitions(Map.of("new-t", NewPartitions.increaseTo(8))).all().get();
        each("partitions added", 4, a, c);
        admin.createTopics(List.of(new NewTopic("new-u", 2, (short) 1))).all().get();
        await("a topic that matches is created", () -> a.has + c.has == 10);
        a.leave();
        c.leave();
    }

    static void migrate() throws Exception {
        admin.createTopics(List.of(new NewTopic("old-t", 6, (short) 1))).all().get();
        String pack = "org.apache.kafka.clients.consumer.";
        String[] classic = {"group.protocol", "classic", "heartbeat.interval.ms", "500", "metadata.max.age.ms", "1000",
            "partition.assignment.strategy", pack + "CooperativeStickyAssignor"};
        Member a = new Member("old", "old-t", null, classic), b = new Member("old", "old-t", null, classic);
        each("a classic group", 3, a, b);
        Member n = new Member("old", "old-t", null, "group.protocol", "consumer");
        each("a member of the new protocol joins", 2, a, b, n);
        produce("old-t");
        b.leave();
        each("a classic one has left", 3, a, n);
        classic[7] = pack + "RangeAssignor," + classic[7];
        Member eager = new Member("old", "old-t", null, classic);
        each("an eager one joins", 2, a, n, eager);
        n.leave();
        each("the new one has left", 3, a, eager);
        await("it is a classic group again", () -> type("old") == GroupType.CLASSIC);
        Member again = new Member("old", "old-t", null, "group.protocol", "consumer");
        each("another new one joins", 2, a, eager, again);
        await("it is a consumer group again", () -> type("old") == GroupType.CONSUMER);
        produce("old-t");
        again.leave();
        each("that one has left, too", 3, a, eager);
        admin.createPartitions(Map.of("old-t", NewPartitions.increaseTo(8))).all().get();
        each("partitions added", 4, a, eager);
        produce("old-t");
        a.leave();
        eager.leave();
    }

    /** Static members restart with the other protocol: the group waits for nobody's session. */
    static void restarts() throws Exception {
        admin.createTopics(List.of(new NewTopic("static-t", 4, (short) 1))).all().get();
        String[] one = {"group.protocol", "classic", "heartbeat.interval.ms", "500", "group.instance.id", "one"};
        String[] two = {"group.protocol", "classic", "heartbeat.interval.ms", "500", "group.instance.id", "two"};
        String[] twoNew = {"group.protocol", "consumer", "group.instance.id", "two"};
        Member a = new Member("static", "static-t", null, one), b = new Member("static", "static-t", null, two);
        each("two static members of a classic group", 2, a, b);
        b.leave();
        b = new Member("static", "static-t", null, twoNew);
        each("one is back with the new protocol", 2, a, b);
        await("it is a consumer group", () -> type("static") == GroupType.CONSUMER);
        produce("static-t");
        b.leave();
        b = new Member("static", "static-t", null, two);
        each("and back with the classic one", 2, a, b);
        await("it is a classic group", () -> type("static") == GroupType.CLASSIC);
        produce("static-t");
        a.leave();
        b.leave();
    }

    public static void main(String[] args) throws Exception {
        broker = args[0];
        Properties p = new Properties();
        p.put("bootstrap.servers", broker);
        admin = Admin.create(p);
        producer = new KafkaProducer<>(p, new StringSerializer(), new StringSerializer());
        newProtocol();
        migrate();
        restarts();
        long committed = 0;
        for (String group : List.of("new", "old", "static")) {
            for (var o : admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().values()) committed += o.offset();
        }
        int twice = seen.values().stream().mapToInt(n -> n.get() - 1).sum();
        System.out.println(committed + " of " + produced + " committed, " + twice + " seen again");
        System.exit(committed == produced ? 0 : 1);
    }
}
