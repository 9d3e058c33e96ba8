use super::*;

#[tokio::test]
async fn only_the_endpoints_of_the_registries_used_last_are_kept() {
    let cache = EndpointCache::new(RegistryOptions::default());
    let name = |number: usize| format!("localhost:{}", 5000 + number);
    let first = cache.of(&name(0)).await.unwrap();
    let second = cache.of(&name(1)).await.unwrap();
    for number in 2..LIMIT {
        cache.of(&name(number)).await.unwrap();
    }
    assert!(Arc::ptr_eq(&first, &cache.of(&name(0)).await.unwrap()));
    cache.of(&name(LIMIT)).await.unwrap();
    assert_eq!(cache.recent.lock().unwrap().len(), LIMIT);
    assert!(Arc::ptr_eq(&first, &cache.of(&name(0)).await.unwrap()));
    assert!(!Arc::ptr_eq(&second, &cache.of(&name(1)).await.unwrap()));
}
